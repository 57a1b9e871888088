import { parseAppName } from "../../environment/name.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const createApp = defineCall(CALLS["app.create"], async ({ app, ...others }, session) => {
  const { environment, timings } = await session.engine.createApp(
    { name: parseAppName(app), ...others },
    session,
  );
  return { ...environment, timings };
});
