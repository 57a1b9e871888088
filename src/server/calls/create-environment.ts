import { DEVELOPMENT, parseEnvironmentName } from "../../environment/name.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";
import { describeCreated } from "../session/describe-created.ts";
import { showTo } from "../session/shown.ts";
import { filesLinkedAfar } from "../trees/problems.ts";

export const createEnvironment = defineCall(CALLS["environment.create"], async (input, session) => {
  const { engine } = session;
  const name = parseEnvironmentName(input.name);
  const app = engine.registry.requireApp(input.app);
  const [first = DEVELOPMENT, ...others] = input.from.map((from) => from.toLowerCase());
  const found = [first, ...others].find((from) => engine.registry.find(app, from) !== undefined);
  const source = engine.registry.require(app, found ?? first);
  const { files, data } = input;
  const isOwner = session.caller.kind === "owner";
  if (!isOwner && files.kind === "linked") throw filesLinkedAfar(name);
  const searchPath = isOwner ? input.searchPath : session.searchPath;
  const created = await engine.create({ app, name, source, files, searchPath, data }, session);
  const { folder: home } = engine.layout.home;
  return showTo(session, describeCreated(created, { home, isAfar: !isOwner }));
});
