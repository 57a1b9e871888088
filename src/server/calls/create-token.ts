import { parseAppName } from "../../environment/name.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export const createToken = defineCall(
  CALLS["token.create"],
  async ({ user, label, apps, right, days }, { access }) => {
    const { token, text } = await access.createToken({
      user: user.toLowerCase(),
      label,
      // An app may come later than the token.
      apps: apps?.map(parseAppName) ?? null,
      right,
      lifeMs: days === null ? null : days * DAY_MS,
    });
    return { ...token, text };
  },
);
