import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const answerTree = defineCall(
  CALLS["tree.answer"],
  async ({ ignored, turn, ...visit }, { trees }) =>
    trees.ask(visit, async ({ turns }) => turns.answer(turn, ignored)),
);
