import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type Server, connect, createServer } from "node:net";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { LIMIT_MS, only, plan, useBench } from "../../test/programs/bench.ts";
import { waitFor } from "../base/clock.ts";
import type { ProcessState } from "../environment/environment.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { findFreePort, findMarked, isRunning, signalProcess } from "../process/process.ts";
import type { ProcessPlan } from "./plan.ts";
import { readLog } from "./runtime.ts";
import { Supervisor } from "./supervisor.ts";

const bench = useBench();
let supervisor: Supervisor;
let changes: number;
let servers: Server[];

beforeEach(async () => {
  const { logs, mark } = bench().place;
  await mkdir(logs);
  changes = 0;
  servers = [];
  supervisor = new Supervisor({ logs, mark, onChange: () => (changes += 1), onUse: () => {} });
});

afterEach(async () => {
  await supervisor.stop();
  for (const server of servers) server.close();
});

/** A process that is asked nothing and stays. */
function quiet(name: string, change: Partial<ProcessPlan> = {}): ProcessPlan {
  return plan("never-listens.mjs", { name, ready: { kind: "none" }, ...change });
}

function shell(command: string, change: Partial<ProcessPlan> = {}): ProcessPlan {
  return plan("", { command, ready: { kind: "none" }, ...change });
}

function stateOf(name: string): ProcessState | undefined {
  return supervisor.states().find((one) => one.name === name);
}

async function until(name: string, state: ProcessState["state"]): Promise<ProcessState> {
  const found = await waitFor(() => (stateOf(name)?.state === state ? stateOf(name) : undefined), {
    timeoutMs: LIMIT_MS,
  });
  if (found === undefined) throw new Error(`Never ${state}: ${JSON.stringify(stateOf(name))}`);
  return found;
}

async function remarks(process: string): Promise<readonly string[]> {
  const lines = await readLog(bench().place.logs, { process, last: 1_000 });
  return lines.filter(({ stream }) => stream === "ramet").map(({ text }) => text);
}

test("an environment without processes is kept as well", async () => {
  await supervisor.apply(only());
  expect(supervisor.states()).toEqual([]);
  await supervisor.stop();
  await supervisor.stop();
});

test("the order of a new plan is the order of the states, and nobody is restarted for it", async () => {
  await supervisor.apply(only(quiet("a"), quiet("b"), quiet("c")));
  const before = await Promise.all(["a", "b", "c"].map(async (name) => until(name, "ready")));

  await supervisor.apply(only(quiet("c"), quiet("a"), quiet("b")));

  expect(supervisor.states()).toEqual([before[2], before[0], before[1]]);
});

test.each([
  ["its command", { command: "exec sleep 600" }],
  ["its folder", { folder: "/" }],
  ["a variable", { variables: { EXTRA: "1" } }],
  ["its ready check", { ready: { kind: "port", timeoutMs: 5 } as const }],
])("a change of %s restarts a process", async (_what, change) => {
  await supervisor.apply(only(quiet("web")));
  const before = await until("web", "ready");

  await supervisor.apply(only(plan("never-listens.mjs", { ready: { kind: "none" }, ...change })));

  expect(isRunning(before.pid ?? 0)).toBe(false);
  expect((await until("web", "ready")).pid).not.toBe(before.pid);
});

test("a process that gets a problem is ended, and waits", async () => {
  await supervisor.apply(only(quiet("web")));
  const before = await until("web", "ready");
  const problem = { code: "c", message: "m", remedy: "r" };

  await supervisor.apply(only(quiet("web", { problem })));

  expect(isRunning(before.pid ?? 0)).toBe(false);
  expect(stateOf("web")).toMatchObject({ state: "waiting", pid: null, problem });
});

test("a process that waits is not started by a restart either", async () => {
  const problem = { code: "c", message: "m", remedy: "r" };
  await supervisor.apply(only(quiet("web", { problem })));

  await supervisor.restart("web");

  expect(stateOf("web")).toMatchObject({ state: "waiting", pid: null });
});

test("a restart of somebody else is a problem that names who is there", async () => {
  await supervisor.apply(only(quiet("web"), quiet("jobs")));
  await expect(supervisor.restart("x".repeat(500))).rejects.toMatchObject({
    code: "process_unknown",
    remedy: "Use one of: web, jobs.",
  });
  await expect(
    new Supervisor({ ...bench().place, onChange: () => {}, onUse: () => {} }).restart("a"),
  ).rejects.toMatchObject({
    remedy: "This environment has no processes.",
  });
});

test("after five ends without having been ready it has failed, each start later than the last, and it is tried on", async () => {
  await supervisor.apply(
    only(
      shell("exit 3", { ready: { kind: "port", timeoutMs: 20_000 }, port: await findFreePort() }),
    ),
  );

  const failed = await until("web", "failed");

  expect(failed).toMatchObject({ pid: null, problem: { code: "crash_loop" } });
  expect(failed.problem?.message).toContain("ended 5 times in the last minutes");
  expect(failed.problem?.message).toContain("exited with code 3; it printed nothing");
  const texts = await remarks("web");
  expect(texts.filter((text) => text.startsWith("starts: "))).toHaveLength(5);
  expect(texts.filter((text) => text.startsWith("is started again"))).toEqual(
    [0.5, 1, 2, 4, 30].map((seconds) => `is started again in ${seconds} s`),
  );
});

test("a process that waits for its next start is stopped at once", async () => {
  await supervisor.apply(only(shell("exit 1")));
  await until("web", "restarting");

  await supervisor.stop();

  expect(stateOf("web")).toMatchObject({ state: "stopped", problem: null });
});

test("a process that is killed is told by its signal", async () => {
  await supervisor.apply(only(quiet("web")));
  const { pid } = await until("web", "ready");
  signalProcess(pid ?? 0, "SIGKILL");

  const down = await until("web", "restarting");

  expect(down.problem?.message).toContain("was ended by SIGKILL");
  expect((await until("web", "ready")).pid).not.toBe(pid);
});

test("what is quoted of a process's last words is short, plain and the last", async () => {
  const lines =
    "for n in $(seq 40); do printf '\\033[31mline %s %0500d\\033[0m\\n' $n 0; done; exit 1";
  await supervisor.apply(only(shell(lines)));

  const { problem } = await until("web", "restarting");

  expect(problem?.message).toContain("line 40 ");
  expect(problem?.message).not.toContain("line 34 ");
  expect(problem?.message).not.toContain("\u001B");
  expect(problem?.message.length).toBeLessThan(1_400);
});

test("the words of an earlier life are not quoted for a later one", async () => {
  const marker = path.join(bench().folder, "once");
  await supervisor.apply(
    only(shell(`if [ -e ${marker} ]; then exit 2; fi; echo 'first life'; touch ${marker}; exit 1`)),
  );
  expect((await until("web", "restarting")).problem?.message).toContain("first life");

  const second = await waitFor(
    () =>
      stateOf("web")?.problem?.message.includes("code 2") === true ? stateOf("web") : undefined,
    { timeoutMs: LIMIT_MS },
  );

  expect(second?.problem?.message).toContain("it printed nothing");
});

test("processes are ended side by side, not one after another", async () => {
  const names = Array.from({ length: 6 }, (_, at) => `p${at}`);
  await supervisor.apply(only(...names.map((name) => quiet(name))));
  const pids = (await Promise.all(names.map(async (name) => until(name, "ready")))).map(
    ({ pid }) => pid ?? 0,
  );

  await supervisor.apply(only());

  expect(pids.filter(isRunning)).toEqual([]);
  expect(await findMarked(MARK_VARIABLE, bench().place.mark)).toEqual([]);
});

test("what we remark on a process is in its log, and each change is told", async () => {
  await supervisor.apply(only(quiet("web")));
  await until("web", "ready");
  expect(await remarks("web")).toContain("runs");
  expect(changes).toBeGreaterThan(2);
});

test("relays that stay are not interrupted by a new plan", async () => {
  const [kept, gone] = [await findFreePort(), await findFreePort()];
  const target = path.join(bench().folder, "echo.sock");
  const echo = createServer((socket) => socket.pipe(socket)).listen(target);
  servers.push(echo);
  await once(echo, "listening");
  const relays = [kept, gone].map((port) => ({ port, socket: target, isHeld: false }));
  await supervisor.apply({ processes: [], relays, inlets: null, addresses: null, wayOut: null });
  const [first, second] = [connect(kept, "127.0.0.1"), connect(gone, "127.0.0.1")];
  for (const socket of [first, second]) await heardBack(socket, "a");
  const ended = once(second, "close");

  await supervisor.apply({
    processes: [],
    relays: relays.slice(0, 1),
    inlets: null,
    addresses: null,
    wayOut: null,
  });

  await ended;
  expect(await heardBack(first, "b")).toBe("b");
  first.destroy();
});

test("a relay that leads elsewhere from now on has its port all the same", async () => {
  const port = await findFreePort();
  for (const name of ["one", "two"]) {
    const target = path.join(bench().folder, `${name}.sock`);
    const server = createServer((socket) => socket.end(name)).listen(target);
    servers.push(server);
    await once(server, "listening");
    await supervisor.apply({
      processes: [],
      relays: [{ port, socket: target, isHeld: false }],
      inlets: null,
      addresses: null,
      wayOut: null,
    });

    const socket = connect(port, "127.0.0.1");
    expect(String(Buffer.concat(await socket.toArray()))).toBe(name);
  }
});

test("a held relay passes nothing on until a plan releases it, and then all that waited", async () => {
  const port = await findFreePort();
  const target = path.join(bench().folder, "late.sock");
  await supervisor.apply({
    processes: [],
    relays: [{ port, socket: target, isHeld: true }],
    inlets: null,
    addresses: null,
    wayOut: null,
  });
  const early = connect(port, "127.0.0.1");
  const answered = heardBack(early, "a");
  await once(early, "connect");
  const accepted: string[] = [];
  const echo = createServer((socket) => {
    accepted.push("one");
    socket.pipe(socket);
  }).listen(target);
  servers.push(echo);
  await once(echo, "listening");
  // A plan that holds it still changes nothing for who waits.
  await supervisor.apply({
    processes: [],
    relays: [{ port, socket: target, isHeld: true }],
    inlets: null,
    addresses: null,
    wayOut: null,
  });
  expect(accepted).toEqual([]);

  await supervisor.apply({
    processes: [],
    relays: [{ port, socket: target, isHeld: false }],
    inlets: null,
    addresses: null,
    wayOut: null,
  });

  expect(await answered).toBe("a");
  early.destroy();
});

async function heardBack(socket: ReturnType<typeof connect>, word: string): Promise<string> {
  socket.write(word);
  const heard: unknown[] = await once(socket, "data");
  return String(heard[0]);
}
