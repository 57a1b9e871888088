import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const takeUpTree = defineCall(
  CALLS["tree.arrived"],
  async ({ app, environment }, session) => {
    const { engine } = session;
    await engine.filesChanged(engine.registry.require(app, environment), session);
    return {};
  },
);
