import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const stageInTree = defineCall(
  CALLS["tree.stage"],
  async ({ batch, ...visit }, { trees }) => {
    await trees.require(visit).stage(batch);
    return {};
  },
);
