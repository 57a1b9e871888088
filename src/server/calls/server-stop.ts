import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const serverStop = defineCall(CALLS["server.stop"], async (_, { engine, leave }) => {
  const stopped = await engine.stopAll();
  leave("stopped");
  return { stopped };
});
