import { CALLS } from "../../protocol/calls.ts";
import { setVariables as set } from "../../variables/variables.ts";
import { defineCall } from "../call.ts";

export const setVariables = defineCall(
  CALLS["variable.set"],
  async ({ app, environment, variables, secret }, { engine }) => {
    const live = engine.registry.require(app, environment);
    const changed = await set(live.variables, variables, { secret });
    await live.refresh();
    return [...changed];
  },
);
