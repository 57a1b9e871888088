import { untilAborted } from "../../base/clock.ts";
import { value } from "../grammar/command-shape.ts";
import { parseCount } from "../grammar/numbers.ts";
import { atPort } from "../session/afar-database.ts";
import { defineCommand } from "../session/command.ts";
import { tunnelNeedless } from "../session/problems.ts";
import { requireDatabaseUrl } from "../session/required-address.ts";

const MOST_PORT = 65_535;

export const dbTunnel = defineCommand({
  name: "db tunnel",
  summary: "Lead a port of this machine to a database on a server elsewhere, until Ctrl-C",
  description:
    "Each connection goes by one of its own, in TLS, and wakes the environment. `ramet db psql` and `ramet run` open one by themselves.",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  options: { port: value("PORT", "Of this machine; otherwise a free one", "p") },
  examples: [
    { line: "ramet db tunnel", why: "For a client of your own; prints its URL" },
    { line: "ramet db tunnel staging --port 5433", why: "Always at the same port" },
  ],
  async run(input, session) {
    const { remote, signal, stdout } = session.context;
    if (remote === undefined) throw tunnelNeedless();
    const asked = input.value("port");
    const port = asked === null ? null : parseCount("--port", asked, MOST_PORT);
    const environment = await session.environment(input.optional("ENV"));
    const there = requireDatabaseUrl(session, environment);
    const { openTunnel } = await import("../connection/tunnel.ts");
    const target = { app: environment.app, environment: environment.name };
    const onProblem = ({ message }: { readonly message: string }): void => session.note(message);
    const tunnel = await openTunnel(remote, target, { port, onProblem });
    const databaseUrl = atPort(there, tunnel.port);
    stdout.write(`${session.isJson ? JSON.stringify({ databaseUrl }) : databaseUrl}\n`);
    try {
      await untilAborted(signal ?? new AbortController().signal);
    } finally {
      tunnel.close();
    }
    return {};
  },
  isSilent: true,
  toText: () => "",
});
