import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const waitForTree = defineCall(
  CALLS["tree.wait"],
  async ({ seen, ...visit }, { trees, signal }) => {
    return { seen: await trees.ask(visit, async ({ tree }) => tree.wait(seen, signal)) };
  },
);
