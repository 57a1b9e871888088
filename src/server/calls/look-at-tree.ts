import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const lookAtTree = defineCall(
  CALLS["tree.look"],
  async ({ scope, turn, ...visit }, { trees }) =>
    trees.ask(visit, async ({ turns }) => turns.look(turn, scope)),
);
