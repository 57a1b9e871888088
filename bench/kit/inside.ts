import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../../src/base/clock.ts";
import { exists } from "../../src/base/remove-inside.ts";
import { serve } from "./program.ts";

/** PostgreSQL's clients look for this name in the folder that is their `host`. */
const SOCKET = ".s.PGSQL.5432";

/** Carries bytes between a socket in the file system, which both sides see, and a port of the network that it runs in. */
const RELAY = `
const net = require("node:net");
const [socket, port, host] = process.argv.slice(1);
net.createServer((here) => {
  const there = net.connect(port, host);
  for (const one of [here, there]) one.on("error", () => [here, there].forEach((each) => each.destroy()));
  here.pipe(there).pipe(here);
}).listen(socket);
`;

/** How an app reaches its own database: a URL, and what stands between it and us. */
export type WayIn = { readonly url: string; close(): Promise<void> };

/**
 * The DATABASE_URL that the process was given, as it can be reached from here: a process that is sealed off has a
 * network of its own, which `nsenter` joins.
 *
 * @throws Error when the process was given none
 */
export async function openWayIn(ofProcess: number, folder: string): Promise<WayIn> {
  const found = await findDatabaseUrl(ofProcess);
  if (found === undefined) throw new Error("The app's process has no DATABASE_URL.");
  const { pid } = found;
  const url = new URL(found.url);
  if (await sharesNetwork(pid)) return { url: url.href, close: async () => undefined };
  const meeting = await mkdtemp(path.join(folder, "way-in-"));
  const socket = path.join(meeting, SOCKET);
  const node = [process.execPath, "-e", RELAY, socket, url.port, url.hostname];
  const relay = await serve(
    { file: "nsenter", args: [...namespacesOf(pid), ...node], folder, environment: process.env },
    "SIGTERM",
  );
  await waitFor(async () => (await exists(socket)) || undefined, { timeoutMs: 10_000 });
  url.host = "localhost";
  url.searchParams.set("host", meeting);
  return {
    url: url.href,
    close: async () => {
      await relay.stop();
      await rm(meeting, { recursive: true, force: true });
    },
  };
}

/** Root may join any network; another user joins the namespace in which he owns it first. */
function namespacesOf(pid: number): string[] {
  const target = ["--target", String(pid), "--net"];
  return process.getuid?.() === 0 ? target : [...target, "--user", "--preserve-credentials"];
}

async function sharesNetwork(pid: number): Promise<boolean> {
  const [theirs, ours] = await Promise.all([
    readlink(`/proc/${pid}/ns/net`),
    readlink("/proc/self/ns/net"),
  ]);
  return theirs === ours;
}

/** Its own, or of the first below it that has one: what seals a process off is told none of its variables. */
async function findDatabaseUrl(
  pid: number,
): Promise<{ readonly pid: number; readonly url: string } | undefined> {
  const environment = await readFile(`/proc/${pid}/environ`, "utf8");
  const variable = environment.split("\0").find((one) => one.startsWith("DATABASE_URL="));
  if (variable !== undefined) return { pid, url: variable.slice("DATABASE_URL=".length) };
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  for (const child of children.split(" ").filter((one) => one !== "")) {
    const found = await findDatabaseUrl(Number(child));
    if (found !== undefined) return found;
  }
  return undefined;
}
