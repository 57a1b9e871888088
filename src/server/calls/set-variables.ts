import { CALLS } from "../../protocol/calls.ts";
import { setVariables as set } from "../../variables/variables.ts";
import { defineCall } from "../session/call.ts";
import { applyVariables } from "../session/refresh.ts";

export const setVariables = defineCall(
  CALLS["variable.set"],
  async ({ app, environment, variables, secret }, { engine, signal }) => {
    const live = engine.registry.require(app, environment);
    const changed = await set(live.facts.variables, variables, { secret });
    await applyVariables(live, signal);
    return [...changed];
  },
);
