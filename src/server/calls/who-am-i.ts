import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const whoAmI = defineCall(CALLS["access.whoami"], async (_, { caller, status }) => {
  const token = caller.kind === "token" ? caller.grant.token : null;
  return { token, isAdmin: token === null || token.right === "admin", version: status().version };
});
