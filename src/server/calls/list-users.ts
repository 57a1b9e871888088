import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const listUsers = defineCall(CALLS["user.list"], async (_, { access }) => [
  ...access.users(),
]);
