import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const answerTree = defineCall(
  CALLS["tree.answer"],
  async ({ ignored, ...visit }, { trees }) => trees.require(visit).answer(ignored),
);
