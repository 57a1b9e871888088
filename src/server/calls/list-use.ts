import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const listUse = defineCall(CALLS["environment.use"], async ({ app }, { engine }) => [
  ...(await engine.uses.describe(
    engine.registry.list(app === null ? null : engine.registry.requireApp(app)),
  )),
]);
