import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const commitTree = defineCall(CALLS["tree.commit"], async (visit, { trees }) => {
  await trees.require(visit).commit();
  return {};
});
