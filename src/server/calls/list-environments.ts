import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const listEnvironments = defineCall(
  CALLS["environment.list"],
  async ({ app }, { engine }) => [
    ...(await engine.describeAll(app === null ? null : engine.registry.requireApp(app))),
  ],
);
