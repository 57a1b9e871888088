import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { mayReach } from "../session/caller.ts";

export const listApps = defineCall(CALLS["app.list"], async (_, { engine, caller }) =>
  engine.registry.apps().filter(({ name }) => mayReach(caller, name)),
);
