import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const stopEnvironment = defineCall(
  CALLS["environment.stop"],
  async ({ app, environment }, { engine }) => {
    const live = engine.registry.require(app, environment);
    await live.sleep();
    await engine.standbys.rest(live.record.id);
    return engine.describe(live);
  },
);
