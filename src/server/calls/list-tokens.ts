import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const listTokens = defineCall(CALLS["token.list"], async (_, { access }) => [
  ...access.tokens(),
]);
