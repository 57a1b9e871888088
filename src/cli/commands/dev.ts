import path from "node:path";

import { defineCommand } from "../command.ts";
import { titleOf } from "../environment-text.ts";

export const dev = defineCommand({
  name: "dev",
  summary: "Keep the environment awake and show its logs, until Ctrl-C",
  description:
    "Edits show by the app's own hot reload; a process that has none is restarted when its files change.",
  scope: "environment",
  positionals: [
    { name: "DIR", kind: "optional", summary: "The workspace; otherwise the one of this folder" },
  ],
  examples: [
    { line: "ramet dev", why: "In the workspace: wake it, then edit" },
    { line: "ramet dev --json", why: "One JSON object for each line: time, process, stream, text" },
  ],
  async run(input, session) {
    const folder = input.optional("DIR");
    const here =
      folder === null ? session : session.in(path.resolve(session.context.folder, folder));
    const environment = await here.environment();
    const target = { app: environment.app, environment: environment.name };
    here.note(`${titleOf(environment)}  ${environment.url ?? ""}`.trimEnd());
    await here.follow(target, {
      name: "environment.develop",
      names: environment.processes.map(({ name }) => name),
    });
  },
  toText: () => "",
});
