import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const verifyEnvironment = defineCall(
  CALLS["environment.verify"],
  async ({ app, environment }, session) => {
    const { engine } = session;
    const live = engine.registry.require(app, environment);
    const { isolation, probes } = await engine.verify(live, session);
    const { record } = live;
    return { app: record.app, environment: record.name, isolation, probes: [...probes] };
  },
);
