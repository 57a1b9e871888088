import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const deleteApp = defineCall(CALLS["app.delete"], async ({ app }, { engine }) => {
  const deleted = await engine.deleteApp(engine.registry.requireApp(app));
  return { app, deleted: [...deleted] };
});
