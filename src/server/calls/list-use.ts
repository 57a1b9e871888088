import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { mayReach } from "../session/caller.ts";

export const listUse = defineCall(CALLS["environment.use"], async ({ app }, { engine, caller }) => {
  const all = engine.registry.list(app === null ? null : engine.registry.requireApp(app));
  const reached = all.filter(({ record }) => mayReach(caller, record.app));
  return [...(await engine.uses.describe(reached))];
});
