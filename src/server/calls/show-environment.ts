import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const showEnvironment = defineCall(
  CALLS["environment.show"],
  async ({ app, environment }, { engine }) => {
    const making = (await engine.describeAll(engine.registry.requireApp(app))).find(
      ({ name, state }) => name === environment && state === "creating",
    );
    return making ?? engine.describe(engine.registry.require(app, environment));
  },
);
