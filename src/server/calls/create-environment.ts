import { parseEnvironmentName } from "../../environment/name.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";

export const createEnvironment = defineCall(CALLS["environment.create"], async (input, session) => {
  const { engine } = session;
  const name = parseEnvironmentName(input.name);
  const app = engine.requireApp(input.app);
  const source = engine.require(app, input.from.toLowerCase());
  const { files, searchPath } = input;
  const { environment, timings } = await engine.create(
    { app, name, source, files, searchPath },
    session,
  );
  return { ...environment, timings };
});
