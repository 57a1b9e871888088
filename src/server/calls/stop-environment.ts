import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { showTo } from "../session/shown.ts";

export const stopEnvironment = defineCall(
  CALLS["environment.stop"],
  async ({ app, environment }, { engine, ...session }) => {
    const live = engine.registry.require(app, environment);
    await live.sleep();
    await engine.standbys.rest(live.record.id);
    return showTo(session, await engine.describe(live));
  },
);
