import { untilAborted } from "../../base/clock.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const attendEnvironment = defineCall(
  CALLS["environment.attend"],
  async ({ app, environment }, { engine, signal }) => {
    const live = engine.registry.require(app, environment);
    await live.usage.during(async () => untilAborted(signal));
    return {};
  },
);
