import { parseAppName } from "../../environment/name.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { describeCreated } from "../session/describe-created.ts";

export const createApp = defineCall(CALLS["app.create"], async ({ app, ...others }, session) => {
  const { engine } = session;
  const created = await engine.createApp({ name: parseAppName(app), ...others }, session);
  return describeCreated(created, { home: engine.layout.home.folder });
});
