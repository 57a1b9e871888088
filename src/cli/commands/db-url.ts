import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import { tunnelNeeded } from "../session/problems.ts";
import { requireDatabaseUrl } from "../session/required-address.ts";
import { titleOf } from "../text/title.ts";

export const dbUrl = defineCommand({
  name: "db url",
  summary: "Print the database's URL, password included",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  options: { socket: flag("By the server's unix socket, which only this user can open") },
  examples: [
    { line: "ramet db url", why: "For a client of your own" },
    { line: "psql $(ramet db url --socket)", why: "Without TCP; for libpq and node-postgres" },
    { line: "ramet db url staging", why: "Of another environment" },
  ],
  async run(input, session) {
    const environment = await session.environment(input.optional("ENV"));
    const databaseUrl = requireDatabaseUrl(session, environment);
    if (session.isAfar) throw tunnelNeeded(titleOf(environment));
    const { sockets } = session.context.home;
    return { databaseUrl: input.has("socket") ? toSocketUrl(databaseUrl, sockets) : databaseUrl };
  },
  toText: ({ databaseUrl }) => databaseUrl,
});

/** libpq takes a folder for a host where it begins with a slash; the port is a part of the socket's name. */
function toSocketUrl(databaseUrl: string, folder: string): string {
  const { username, password, port, pathname } = new URL(databaseUrl);
  const query = new URLSearchParams({ host: folder, port });
  return `postgresql://${username}:${password}@${pathname}?${query.toString()}`;
}
