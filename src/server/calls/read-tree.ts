import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const readTree = defineCall(CALLS["tree.read"], async ({ wants, ...visit }, { trees }) =>
  trees.require(visit).read(wants),
);
