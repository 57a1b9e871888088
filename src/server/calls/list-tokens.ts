import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const listTokens = defineCall(CALLS["token.list"], async (_, { access }) => [
  ...access.tokens(),
]);
