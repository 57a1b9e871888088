import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const readEnvironmentVariables = defineCall(
  CALLS["environment.variables"],
  async ({ app, environment }, { engine }) => ({
    ...(await engine.registry.require(app, environment).commandVariables()),
  }),
);
