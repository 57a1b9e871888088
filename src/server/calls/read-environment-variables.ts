import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const readEnvironmentVariables = defineCall(
  CALLS["environment.variables"],
  async ({ app, environment }, { engine }) => {
    const live = engine.registry.require(app, environment);
    return { ...(await live.facts.commandVariables(await live.manifest())) };
  },
);
