import { createSocket } from "node:dgram";
import { getServers } from "node:dns";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { type Socket, connect, createServer, isIP } from "node:net";

import { monotonicMs, pause } from "../../base/clock.ts";
import { endAfter } from "../sockets/end-after.ts";
import { CONNECTED } from "../sockets/first-byte.ts";
import { joinWays } from "../sockets/join-ways.ts";
import { type Errand, MAX_ERRAND_BYTES, parseErrand } from "./errand.ts";
import { isOutside } from "./outside-addresses.ts";
import { dialThrough, isExcepted, type Proxy } from "./proxy.ts";

const MAX_CONNECTIONS = 8_192;
const ERRAND_MS = 10_000;
const DIAL_MS = 30_000;
const ASK_MS = 5_000;
const NAME_SERVER_PORT = 53;
const WEB_PORTS = [80, 443];
const LOOK_EVERY_MS = 500;

export type DialerOptions = {
  /** Of its socket. */
  readonly mode: number;
  /** It ends when nobody has needed it for so long. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
  /** Through whom the world is reached; null: directly. */
  readonly proxy?: Proxy | null;
  /** The machine's own answer, but for tests. */
  readonly find?: FindAddresses;
};

/** Which addresses a name has that may be dialled, if any; undefined: the machine does not know the name. */
type FindAddresses = (host: string) => Promise<readonly string[] | undefined>;

/**
 * Dials for those whose own network leads nowhere: out of this machine, never to it. Which names an environment may reach
 * is its keeper's business, through whom alone its processes come here.
 */
export async function runDialer(file: string, options: DialerOptions): Promise<void> {
  const { mode, idleMs, signal, find = findAddresses, proxy = null } = options;
  const need = new Need();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    near.on("error", () => near.destroy());
    void serve(near, { need, find, proxy });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await rm(file, { force: true });
  server.listen(file);
  await once(server, "listening");
  await chmod(file, mode);
  server.on("error", () => {
    // No descriptor left for a connection: it is refused, the others go on.
  });
  await need.over(idleMs, signal);
  server.close();
}

type Means = { readonly need: Need; readonly find: FindAddresses; readonly proxy: Proxy | null };
type Ways = Omit<Means, "need">;

/** Who has said that he needs us. */
class Need {
  readonly #stays = new Set<Socket>();
  #satisfiedAtMs = monotonicMs();

  add(socket: Socket): void {
    this.#stays.add(socket);
    socket.resume().once("end", () => socket.destroy());
    socket.once("close", () => {
      this.#stays.delete(socket);
      this.#satisfiedAtMs = monotonicMs();
    });
  }

  /** Resolves when there has been none for so long, or at the signal. */
  async over(idleMs: number, signal: AbortSignal): Promise<void> {
    const isOver = (): boolean =>
      this.#stays.size === 0 && monotonicMs() - this.#satisfiedAtMs >= idleMs;
    while (!signal.aborted && !isOver()) await pause(LOOK_EVERY_MS, signal);
  }
}

async function serve(near: Socket, { need, ...ways }: Means): Promise<void> {
  const errand = await readErrand(near);
  if (errand === undefined || near.destroyed) near.destroy();
  else if (errand.kind === "stay") need.add(near);
  else if (errand.kind === "dial") pass(near, await dial(errand, ways));
  else near.end(`${await answer(errand, ways)}\n`);
}

async function readErrand(near: Socket): Promise<Errand | undefined> {
  const { promise, resolve } = Promise.withResolvers<Errand | undefined>();
  const lift = endAfter(near, ERRAND_MS);
  let heard = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    heard = Buffer.concat([heard, chunk]);
    const end = heard.indexOf("\n");
    if (end < 0 && heard.length <= MAX_ERRAND_BYTES) return;
    near.off("data", read).pause();
    if (end >= 0) near.unshift(heard.subarray(end + 1));
    resolve(end < 0 ? undefined : parseLine(heard.toString("utf8", 0, end)));
  };
  near.on("data", read).once("close", () => resolve(undefined));
  const errand = await promise;
  lift();
  return errand;
}

function parseLine(line: string): Errand | undefined {
  try {
    return parseErrand(JSON.parse(line));
  } catch {
    // Not of our kind: the caller hangs up.
    return undefined;
  }
}

function pass(near: Socket, far: Socket | undefined): void {
  if (far === undefined || near.destroyed) {
    near.destroy();
    far?.destroy();
    return;
  }
  near.write(CONNECTED);
  joinWays(near, far);
}

/** A name that means this machine is dialled neither way; one that only the proxy may know, for the web alone. */
async function dial(
  { host, port }: Extract<Errand, { kind: "dial" }>,
  { find, proxy }: Ways,
): Promise<Socket | undefined> {
  const addresses = await find(host);
  const isThrough = addresses === undefined ? WEB_PORTS.includes(port) : addresses.length > 0;
  const far =
    isThrough && proxy !== null && !isExcepted(proxy, host)
      ? await dialThrough(proxy, host, port)
      : undefined;
  // To the addresses that were looked at, not to the name, which may mean another a moment later.
  return far ?? dialFirst(addresses ?? [], port);
}

async function dialFirst(addresses: readonly string[], port: number): Promise<Socket | undefined> {
  for (const host of addresses) {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(DIAL_MS) });
      return socket;
    } catch {
      // The next address may answer.
      socket.on("error", () => undefined).destroy();
    }
  }
  return undefined;
}

async function findAddresses(host: string): Promise<readonly string[] | undefined> {
  if (isIP(host) !== 0) return isOutside(host) ? [host] : [];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address).filter(isOutside);
  } catch {
    // No such name, or nobody to ask.
    return undefined;
  }
}

type Question = Extract<Errand, { kind: "resolve" | "ask" }>;

async function answer(errand: Question, { find, proxy }: Ways): Promise<string> {
  if (errand.kind === "resolve") {
    const isLeftToProxy = proxy !== null && !isExcepted(proxy, errand.host);
    return String(((await find(errand.host))?.length ?? Number(isLeftToProxy)) > 0);
  }
  return (await ask(Buffer.from(errand.message, "base64")))?.toString("base64") ?? "";
}

/** What the machine's own name server says. */
async function ask(message: Buffer): Promise<Buffer | undefined> {
  const server = getServers()[0]?.replace(/^\[(.*)\].*$/, "$1");
  if (server === undefined) return undefined;
  const socket = createSocket(
    server.includes(":") && !/^\d+\.\d+\.\d+\.\d+:/.test(server) ? "udp6" : "udp4",
  );
  try {
    socket.send(message, NAME_SERVER_PORT, server);
    const heard: unknown[] = await once(socket, "message", { signal: AbortSignal.timeout(ASK_MS) });
    const [reply] = heard;
    return reply instanceof Buffer ? reply : undefined;
  } catch {
    // It does not answer: neither do we.
    return undefined;
  } finally {
    socket.close();
  }
}
