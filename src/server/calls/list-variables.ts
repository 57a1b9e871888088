import { CALLS } from "../../protocol/calls.ts";
import { listVariables as list } from "../../variables/variables.ts";
import { defineCall } from "../session/call.ts";

export const listVariables = defineCall(
  CALLS["variable.list"],
  async ({ app, environment }, { engine }) => [
    ...(await list(engine.registry.require(app, environment).facts.variables)),
  ],
);
