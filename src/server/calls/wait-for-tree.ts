import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const waitForTree = defineCall(CALLS["tree.wait"], async (visit, { trees, signal }) => {
  await trees.require(visit).wait(signal);
  return {};
});
