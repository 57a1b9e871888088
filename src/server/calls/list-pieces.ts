import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const listPieces = defineCall(
  CALLS["tree.pieces"],
  async ({ path, ...visit }, { trees }) => {
    const pieces = await trees.ask(visit, async ({ tree }) => tree.pieces(path));
    return { pieces };
  },
);
