import { parseAppName } from "../../environment/name.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const createApp = defineCall(
  CALLS["app.create"],
  async ({ app, folder, searchPath }, session) => {
    const { environment, timings } = await session.engine.createApp(
      { name: parseAppName(app), folder, searchPath },
      session,
    );
    return { ...environment, timings };
  },
);
