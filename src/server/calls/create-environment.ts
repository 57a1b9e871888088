import { DEVELOPMENT, parseEnvironmentName } from "../../environment/name.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../call.ts";
import { describeCreated } from "../describe-created.ts";

export const createEnvironment = defineCall(CALLS["environment.create"], async (input, session) => {
  const { engine } = session;
  const name = parseEnvironmentName(input.name);
  const app = engine.registry.requireApp(input.app);
  const [first = DEVELOPMENT, ...others] = input.from.map((from) => from.toLowerCase());
  const found = [first, ...others].find((from) => engine.registry.find(app, from) !== undefined);
  const source = engine.registry.require(app, found ?? first);
  const { files, searchPath, data } = input;
  const created = await engine.create({ app, name, source, files, searchPath, data }, session);
  return describeCreated(created, { home: engine.layout.home.folder });
});
