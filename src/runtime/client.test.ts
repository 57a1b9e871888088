import { once } from "node:events";
import { type Server, type Socket, connect, createServer } from "node:net";

import { afterEach, expect, test } from "vitest";

import {
  START,
  LIMIT_MS,
  findKeeperPid,
  only,
  plan,
  start,
  until,
  useBench,
} from "../../test/programs/bench.ts";
import { waitFor } from "../base/clock.ts";
import { isRunning, signalProcess } from "../process/process.ts";
import { KeeperClient, findKeeper } from "./client.ts";
import * as door from "./runtime.ts";
import { WIRE_VERSION, parseCommand, receive, send } from "./wire.ts";

const bench = useBench();
const servers = new Set<Server>();
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  servers.clear();
  sockets.clear();
});

/** Somebody else at the keeper's place, who does this with whoever comes. */
async function listen(talk: (socket: Socket) => void): Promise<void> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {
      // The client hangs up on whoever it does not understand.
    });
    talk(socket);
  }).listen(bench().place.socket);
  servers.add(server);
  await once(server, "listening");
}

const STATES = {
  kind: "states",
  hasOwnNetwork: false,
  canFreeze: true,
  isFrozen: false,
} as const;

function greet(socket: Socket, version = WIRE_VERSION): void {
  const state = { name: "web", state: "ready", port: 1, pid: 2, problem: null } as const;
  if (version === WIRE_VERSION) send(socket, { ...STATES, version, processes: [state] });
  else socket.write(`${JSON.stringify({ kind: "states", version, processes: "?" })}\n`);
}

async function dial(answerMs?: number): Promise<KeeperClient> {
  const socket = connect(bench().place.socket);
  await once(socket, "connect");
  sockets.add(socket);
  return new KeeperClient(socket, bench().place, answerMs);
}

test("a keeper that hangs is not waited for without end, and is replaced with all it kept", async () => {
  const first = await start(bench(), only(plan("never-listens.mjs", { ready: { kind: "none" } })));
  const { pid } = await until(first, "ready");
  const keeper = await findKeeperPid(bench());
  signalProcess(keeper, "SIGSTOP");
  const client = await dial(200);

  await expect(client.restart("web")).rejects.toMatchObject({ code: "keeper_silent" });
  expect(await findKeeper(bench().place)).toBeUndefined();

  const second = await door.startRuntime(bench().place, START);
  await first.closed;
  expect([keeper, pid ?? 0].map(isRunning)).toEqual([false, false]);
  expect(second.processes()).toEqual([]);
});

test.each([
  ["says nothing and hangs up", (socket: Socket) => socket.end()],
  ["speaks another language", (socket: Socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n")],
  ["is of another version", (socket: Socket) => greet(socket, WIRE_VERSION + 1)],
])("somebody who %s is no keeper", async (_what, talk) => {
  await listen(talk);
  expect(await findKeeper(bench().place)).toBeUndefined();
});

test("a keeper of an earlier version, which cannot hold its processes still, is not asked to", async () => {
  const heard: string[] = [];
  await listen((socket) => {
    send(socket, { ...STATES, canFreeze: false, version: WIRE_VERSION, processes: [] });
    receive(socket, parseCommand, ({ kind, id }) => {
      heard.push(kind);
      send(socket, { kind: "done", id, problem: null, result: null });
    });
  });
  const client = await findKeeper(bench().place);
  if (client === undefined) throw new Error("It greets as a keeper does.");
  await client.freeze();
  await client.thaw();
  await client.restart("web");
  expect(client.isFrozen()).toBe(false);
  expect(heard).toEqual(["restart"]);
});

test("whoever waits for an answer when the keeper goes is told that it has gone", async () => {
  await listen((socket) => {
    greet(socket);
    receive(socket, parseCommand, () => socket.destroy());
  });
  const client = await findKeeper(bench().place);
  if (client === undefined) throw new Error("It greets as a keeper does.");
  expect(client.processes()).toMatchObject([{ name: "web", state: "ready", pid: 2 }]);

  const waits = [
    client.restart("web"),
    client.apply({ processes: [], relays: [], inlets: null, addresses: null, wayOut: null }),
  ];
  const outcomes = await Promise.allSettled(waits);

  expect(outcomes).toMatchObject(
    waits.map(() => ({ status: "rejected", reason: { code: "keeper_gone" } })),
  );
  await client.closed;
  expect(client.processes()).toMatchObject([{ name: "web", state: "stopped", pid: null }]);
  await expect(client.restart("web")).rejects.toMatchObject({ code: "keeper_gone" });
});

test("answers are told apart by their numbers, in whatever order they come", async () => {
  const problem = { code: "c", message: "m", remedy: "r" };
  await listen((socket) => {
    greet(socket);
    const ids: number[] = [];
    receive(socket, parseCommand, ({ id }) => {
      if (ids.push(id) < 3) return;
      send(socket, { kind: "done", id: 4_711, problem, result: null });
      for (const one of ids.toReversed())
        send(socket, {
          kind: "done",
          id: one,
          problem: one === ids[1] ? problem : null,
          result: null,
        });
    });
  });
  const client = await dial(LIMIT_MS);

  const outcomes = await Promise.allSettled(
    ["a", "b", "c"].map(async (name) => client.restart(name)),
  );

  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
});

test("a listener that was taken off hears nothing more, and one that came hears it", async () => {
  const talking = Promise.withResolvers<Socket>();
  await listen((socket) => {
    greet(socket);
    talking.resolve(socket);
  });
  const client = await dial();
  await client.isGreeted();
  const heard: string[] = [];
  const forget = client.onChange(() => heard.push("old"));
  client.onChange(() => heard.push("new"));
  forget();

  greet(await talking.promise);
  await waitFor(() => heard.length > 0 || undefined, { timeoutMs: LIMIT_MS });

  expect(new Set(heard)).toEqual(new Set(["new"]));
});

test("who has disconnected is not told that the keeper went away", async () => {
  await listen((socket) => greet(socket));
  const client = await dial();
  await client.isGreeted();
  let closed = false;
  void client.closed.then(() => (closed = true));

  client.disconnect();
  for (const socket of sockets) if (!socket.destroyed) await once(socket, "close");

  expect(closed).toBe(false);
});
