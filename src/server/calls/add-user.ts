import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const addUser = defineCall(CALLS["user.add"], async ({ name, isAdmin }, { access }) =>
  access.addUser(name.toLowerCase(), isAdmin),
);
