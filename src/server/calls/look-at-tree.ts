import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const lookAtTree = defineCall(CALLS["tree.look"], async ({ scope, ...visit }, { trees }) =>
  trees.require(visit).look(scope),
);
