import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const removeUser = defineCall(CALLS["user.remove"], async ({ name }, { access }) => {
  const revoked = await access.removeUser(name.toLowerCase());
  return { name: name.toLowerCase(), revoked: revoked.map(({ id }) => id) };
});
