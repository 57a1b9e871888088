import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const openTree = defineCall(CALLS["tree.open"], async (visit, { trees }) =>
  (await trees.open(visit)).open(),
);
