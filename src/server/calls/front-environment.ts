import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const frontEnvironment = defineCall(
  CALLS["environment.front"],
  async ({ app, environment, port, off }, { engine, fronts }) => {
    const live = engine.registry.require(app, environment);
    if (off) await fronts.takeBack(live.record.id);
    else await fronts.lead(live, port);
    return engine.describe(live);
  },
);
