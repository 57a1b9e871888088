import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { showTo } from "../session/shown.ts";

export const startEnvironment = defineCall(
  CALLS["environment.start"],
  async ({ app, environment }, session) => {
    const live = session.engine.registry.require(app, environment);
    await session.engine.start(live, session);
    return showTo(session, await session.engine.describe(live));
  },
);
