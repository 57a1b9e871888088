import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const deleteEnvironment = defineCall(
  CALLS["environment.delete"],
  async ({ app, environment }, { engine, fronts }) => {
    const live = engine.registry.require(app, environment);
    await engine.delete(live);
    await fronts.prune();
    const { files, name } = live.record;
    return { app, name, folder: files.kind === "linked" ? files.path : null };
  },
);
