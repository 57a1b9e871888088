import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const serverLeave = defineCall(CALLS["server.leave"], async (_, { leave }) => {
  leave("left");
  return {};
});
