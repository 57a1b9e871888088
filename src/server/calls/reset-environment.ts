import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";
import { describeCreated } from "../describe-created.ts";

export const resetEnvironment = defineCall(
  CALLS["environment.reset"],
  async ({ app, environment, from, undo }, session) => {
    const { engine } = session;
    const live = engine.registry.require(app, environment);
    const made = await engine.reset(live, { from, undo }, session);
    return describeCreated(made, { home: engine.layout.home.folder, isReset: true });
  },
);
