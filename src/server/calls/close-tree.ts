import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const closeTree = defineCall(CALLS["tree.close"], async (visit, { trees }) => {
  await trees.close(visit);
  return {};
});
