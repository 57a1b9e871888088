import { CALLS } from "../../protocol/calls.ts";
import { importVariables as bring } from "../../variables/variables.ts";
import { defineCall } from "../session/call.ts";
import { applyVariables } from "../session/refresh.ts";

export const importVariables = defineCall(
  CALLS["variable.import"],
  async ({ app, environment, source, names, includeValues }, { engine, signal }) => {
    const live = engine.registry.require(app, environment);
    const from =
      source.kind === "file"
        ? { values: source.variables }
        : { store: engine.registry.require(app, source.name.toLowerCase()).facts.variables };
    const { imported, skipped } = await bring(live.facts.variables, from, { names, includeValues });
    await applyVariables(live, signal);
    return { imported: [...imported], skipped: [...skipped] };
  },
);
