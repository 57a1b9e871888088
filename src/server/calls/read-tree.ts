import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const readTree = defineCall(CALLS["tree.read"], async ({ wants, ...visit }, { trees }) =>
  trees.ask(visit, async ({ tree }) => tree.read(wants)),
);
