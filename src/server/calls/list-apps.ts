import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const listApps = defineCall(CALLS["app.list"], async (_, { engine }) => [
  ...engine.registry.apps(),
]);
