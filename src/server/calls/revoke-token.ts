import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const revokeToken = defineCall(CALLS["token.revoke"], async ({ id }, { access }) =>
  access.revokeToken(id),
);
