/**
 * A process outside, of the same user as those inside, that holds a canary out for the taking in every way that there is:
 * in its variables, folder, memory, sockets and open files. Prints where, then waits to be ended.
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type ListenOptions, type Server, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import path from "node:path";

import { callSystem, numberOf } from "./system-call.ts";
import { CANARY_FILE, type WitnessReport } from "./targets.ts";

const SHARED_MEMORY = "/dev/shm";
/** What nobody takes away goes by itself. */
const MOST_SECONDS = 300;
/** What `keyctl` is asked, and of which keyring. */
const [UNLINK, SEARCH, SET_TIMEOUT, USER_KEYRING] = [9, 10, 15, -4];

const canary = process.env["CANARY"] ?? "";
const folder = process.cwd();
const name = `ramet-${path.basename(folder)}-${process.pid}`;
const undoing: (() => void)[] = [];

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, leave);
writeFileSync(path.join(folder, CANARY_FILE), canary);
openSync(path.join(folder, CANARY_FILE), "r");
process.stdout.write(`${JSON.stringify(await holdOut())}\n`);
// Whoever started us has gone when nobody reads what we say.
process.stdout.on("error", leave);
setInterval(() => process.stdout.write("\n"), 1_000);

async function holdOut(): Promise<WitnessReport> {
  const socket = path.join(folder, "socket");
  await Promise.all([listen({ path: socket }), listen({ path: `\0${name}` })]);
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
  return {
    process: process.pid,
    folder,
    address: readFileSync("/proc/self/maps", "utf8").split("-")[0] ?? "",
    port: (await listen({ host: "127.0.0.1", port: 0 })) ?? 0,
    port6: await listen({ host: "::1", port: 0 }),
    outer: outer === undefined ? null : await listenOuter(outer),
    datagramPort: await answerDatagrams(),
    socket,
    abstract: `\0${name}`,
    sharedMemory: shareMemory(),
    segment: await shareSegment(),
    key: shareKey(),
  };
}

/** Says the canary to whoever comes. Resolves with the port; null: there is no such address. */
async function listen(at: ListenOptions): Promise<number | null> {
  const server: Server = createServer((client) => {
    client.on("error", () => {
      // Whoever came has gone before it was said.
    });
    client.end(canary);
  });
  server.listen(at);
  try {
    await once(server, "listening");
  } catch {
    // The machine has no IPv6.
    return null;
  }
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : null;
}

async function listenOuter(host: string): Promise<WitnessReport["outer"]> {
  const port = await listen({ host, port: 0 });
  return port === null ? null : { host, port };
}

async function answerDatagrams(): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (_, { port, address }) => socket.send(canary, port, address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket.address().port;
}

function shareMemory(): string | null {
  if (!existsSync(SHARED_MEMORY)) return null;
  const file = path.join(SHARED_MEMORY, name);
  writeFileSync(file, canary, { mode: 0o600 });
  undoing.push(() => rmSync(file, { force: true }));
  return file;
}

/**
 * Held by a child, with which it goes however that ends: it is removed as soon as it is attached.
 * @returns its number; null: Perl, which makes the calls, is not here
 */
async function shareSegment(): Promise<string | null> {
  const attach = numberOf("shmat");
  if (attach === undefined) return null;
  const program = `$| = 1; my $id = shmget(0, 64, 0600); syscall(${attach}, $id, 0, 0); shmctl($id, 0, 0); print "$id\n"; sleep ${MOST_SECONDS}`;
  const child = spawn("perl", ["-e", program], { stdio: ["ignore", "pipe", "ignore"] });
  undoing.push(() => void child.kill());
  const { promise, resolve } = Promise.withResolvers<string | null>();
  child.once("error", () => resolve(null)).once("exit", () => resolve(null));
  child.stdout.once("data", (line) => resolve(String(line).trim()));
  return promise;
}

function shareKey(): string | null {
  const keyctl = numberOf("keyctl") ?? 0;
  const after = `call(${keyctl}, ${SET_TIMEOUT}, $r, ${MOST_SECONDS})`;
  try {
    callSystem("add_key", `"user", "${name}", "${canary}", ${canary.length}, ${USER_KEYRING}`, {
      after,
    });
  } catch {
    // The kernel keeps none, or Perl is not here: then nobody is asked for it either.
    return null;
  }
  const before = `my $k = call(${keyctl}, ${SEARCH}, ${USER_KEYRING}, "user", "${name}", 0)`;
  undoing.push(() => callSystem("keyctl", `${UNLINK}, $k, ${USER_KEYRING}`, { before }));
  return name;
}

function leave(): void {
  for (const undo of undoing) undo();
  process.exit(0);
}
