import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const deleteApp = defineCall(CALLS["app.delete"], async ({ app }, { engine, fronts }) => {
  const deleted = await engine.deleteApp(engine.registry.requireApp(app));
  await fronts.prune();
  return { app, deleted: [...deleted] };
});
