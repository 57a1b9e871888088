import { CALLS } from "../../protocol/calls.ts";
import { deleteVariables as remove } from "../../variables/variables.ts";
import { defineCall } from "../session/call.ts";
import { applyVariables } from "../session/refresh.ts";

export const deleteVariables = defineCall(
  CALLS["variable.delete"],
  async ({ app, environment, names, ignoreMissing }, { engine, signal }) => {
    const live = engine.registry.require(app, environment);
    const deleted = await remove(live.facts.variables, names, { ignoreMissing });
    await applyVariables(live, signal);
    return { deleted: [...deleted] };
  },
);
