/** For tests of the wire gateway: two databases behind it, and users that fail in every way. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import path from "node:path";

import { Client } from "pg";

import { Problem } from "../../base/problem.ts";
import { createDatabase, openWireGateway } from "../database.ts";
import type { Database, WireRoute } from "../database.ts";
import { socketIn } from "../place/place-files.ts";
import { openTestHome } from "../test-home.ts";
import type { TestHome } from "../test-home.ts";

export const ONE = "onewwwwwwwwwwwww";
export const TWO = "twowwwwwwwwwwwww";
/** Its environment has a problem. */
export const BROKEN = "brokenwwwwwwwwww";
/** Its server is not there. */
export const GONE = "gonewwwwwwwwwwww";
/** Its environment never wakes. */
export const SLOW = "slowwwwwwwwwwwww";

export type TestWire = {
  readonly home: TestHome;
  readonly one: Database;
  readonly two: Database;
  readonly port: number;
  readonly keys: string;
  /** How often the slow environment was asked for, and let go. */
  readonly slow: { opened: number; aborted: number };
  urlOf(user: string, password: string, rest?: string): string;
  withPg<T>(
    config: { url?: string; ssl?: boolean },
    work: (client: Client) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
};

export async function openTestWire(): Promise<TestWire> {
  const home = await openTestHome();
  const keys = path.join(home.folder, "keys");
  const [one, two] = await Promise.all([create(home, "my-shop"), create(home, "blog")]);
  const slow = { opened: 0, aborted: 0 };
  const routes = new Map<string, WireRoute>([
    [ONE, routeTo(one)],
    [TWO, routeTo(two)],
    [
      BROKEN,
      {
        open: async () =>
          Promise.reject(new Problem({ code: "x", message: "It is broken.", remedy: "Mend it." })),
        touch,
      },
    ],
    [GONE, { open: async () => ({ socket: "/nonexistent/socket", database: "x" }), touch }],
    [SLOW, { open: async (signal) => openSlowly(signal, slow), touch }],
  ]);
  const gateway = await openWireGateway({
    host: "127.0.0.1",
    port: 0,
    keys,
    find: (user) => routes.get(user),
  });
  const urlOf = (user: string, password: string, rest = "/my-shop"): string =>
    `postgres://${user}:${password}@127.0.0.1:${gateway.port}${rest}`;
  return {
    home,
    one,
    two,
    keys,
    slow,
    urlOf,
    port: gateway.port,
    withPg: async ({ url, ssl }, work) =>
      withClientOf({ url: url ?? urlOf(ONE, one.record.appPassword), ssl: ssl === true }, work),
    close: async () => {
      await gateway.close();
      await home.close();
    },
  };
}

/** @param onUse called when a client does something */
export function routeTo({ place, record }: Database, onUse = touch): WireRoute {
  const socket = socketIn(place.socketFolder);
  return { open: async () => ({ socket, database: record.name }), touch: onUse };
}

function touch(): void {
  // Nobody here falls asleep.
}

/** Sends bytes, and gives all that comes back until the end. */
export async function exchange(bytes: Buffer, socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => parts.push(chunk));
  socket.on("error", () => {
    // A reset ends it as well.
  });
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(parts).toString("latin1");
}

export function dial(port: number): Socket {
  return connect(port, "127.0.0.1");
}

/** The first value of the first row. */
export async function askFirst(client: Client, sql: string): Promise<unknown> {
  return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0];
}

async function create(home: TestHome, name: string): Promise<Database> {
  const place = await home.createPlace();
  return { place, record: await createDatabase(home.postgres, place, name) };
}

async function openSlowly(signal: AbortSignal, slow: TestWire["slow"]): Promise<never> {
  slow.opened += 1;
  await once(signal, "abort");
  slow.aborted += 1;
  throw signal.reason;
}

async function withClientOf<T>(
  { url, ssl }: { readonly url: string; readonly ssl: boolean },
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    connectionString: url,
    ssl: ssl ? { rejectUnauthorized: false } : false,
  });
  client.on("error", () => {
    // What is under way throws it.
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
