import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const commitTree = defineCall(CALLS["tree.commit"], async (visit, { trees }) => {
  await trees.ask(visit, async ({ tree }) => tree.commit());
  return {};
});
