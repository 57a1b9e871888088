import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const applyToTree = defineCall(
  CALLS["tree.apply"],
  async ({ plan: { removals, puts }, turn, ...visit }, { trees, again }) => {
    // What is expected to stand there is said of a put alone where something is.
    const steps = puts.map(({ expected, ...put }) => ({ ...put, expected }));
    return trees.ask(visit, async ({ turns }) => {
      if (turns.isApplied(turn)) again();
      return turns.apply(turn, { removals, puts: steps });
    });
  },
);
