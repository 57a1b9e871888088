import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const stageInTree = defineCall(
  CALLS["tree.stage"],
  async ({ batch, turn, ...visit }, { trees }) => {
    await trees.ask(visit, async ({ turns }) => turns.stage(turn, batch));
    return {};
  },
);
