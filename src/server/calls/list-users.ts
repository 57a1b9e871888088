import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const listUsers = defineCall(CALLS["user.list"], async (_, { access }) => [
  ...access.users(),
]);
