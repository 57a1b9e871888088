import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { mayReach } from "../session/caller.ts";
import { showTo } from "../session/shown.ts";

export const listEnvironments = defineCall(
  CALLS["environment.list"],
  async ({ app }, { engine, ...session }) => {
    const all = await engine.describeAll(app === null ? null : engine.registry.requireApp(app));
    const reached = all.filter((one) => mayReach(session.caller, one.app));
    return reached.map((one) => showTo(session, one));
  },
);
