import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const commitTree = defineCall(CALLS["tree.commit"], async (visit, { trees }) => {
  await trees.require(visit).commit();
  return {};
});
