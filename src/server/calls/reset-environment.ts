import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { describeCreated } from "../session/describe-created.ts";
import { showTo } from "../session/shown.ts";

export const resetEnvironment = defineCall(
  CALLS["environment.reset"],
  async ({ app, environment, from, undo }, session) => {
    const { engine } = session;
    const live = engine.registry.require(app, environment);
    const made = await engine.reset(live, { from, undo }, session);
    const { folder: home } = engine.layout.home;
    const isAfar = session.caller.kind !== "owner";
    return showTo(session, describeCreated(made, { home, isReset: true, isAfar }));
  },
);
