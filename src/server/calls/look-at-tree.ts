import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const lookAtTree = defineCall(
  CALLS["tree.look"],
  async ({ scope, turn, ...visit }, { trees }) => trees.turnsOf(visit).look(turn, scope),
);
