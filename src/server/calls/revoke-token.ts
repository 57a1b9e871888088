import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const revokeToken = defineCall(CALLS["token.revoke"], async ({ id }, { access }) =>
  access.revokeToken(id),
);
