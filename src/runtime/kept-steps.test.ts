import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";

import { expect, test } from "vitest";

import { LIMIT_MS, only, SEARCH_PATH, start, useBench } from "../../test/programs/bench.ts";
import { waitFor } from "../base/clock.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { findFreePort, findMarked, isRunning } from "../process/process.ts";
import type { Runtime, StepPlan } from "./runtime.ts";
import { findRuntime, readLog } from "./runtime.ts";

const bench = useBench();
const PATIENTLY = new AbortController().signal;

function step(command: string, change: Partial<StepPlan> = {}): StepPlan {
  const { folder, place } = bench();
  return {
    name: "setup",
    command,
    folder,
    environment: { PATH: SEARCH_PATH, [MARK_VARIABLE]: place.mark },
    sandbox: null,
    relays: [],
    wayOut: null,
    timeoutMs: LIMIT_MS,
    ...change,
  };
}

/** The pid that a running step has printed. */
async function heardPid(): Promise<number> {
  const found = await waitFor(
    async () => {
      const lines = await readLog(bench().place.logs, { process: "setup", last: 10 });
      return lines.map(({ text }) => Number(text)).find((pid) => pid > 1);
    },
    { timeoutMs: LIMIT_MS },
  );
  if (found === undefined) throw new Error("It never said its pid.");
  return found;
}

async function untilGone(pid: number): Promise<boolean | undefined> {
  return waitFor(() => (isRunning(pid) ? undefined : true), { timeoutMs: LIMIT_MS });
}

async function open(): Promise<Runtime> {
  return start(bench(), only());
}

test("a step's exit code and its last lines come from its keeper", async () => {
  const runtime = await open();
  const result = await runtime.step(step("echo one; echo two >&2; exit 4"), PATIENTLY);
  expect(result).toMatchObject({ exitCode: 4, signal: null });
  expect(result.lastLines.toSorted()).toEqual(["one", "two"]);
});

test("a step that cannot be started is a problem, and the keeper lives on", async () => {
  const runtime = await open();
  const folder = path.join(bench().folder, "none");
  await expect(runtime.step(step("true", { folder }), PATIENTLY)).rejects.toMatchObject({
    code: "program_failed",
  });
  expect(await runtime.step(step("echo well"), PATIENTLY)).toMatchObject({ exitCode: 0 });
});

test("a step that takes too long is ended, and said to have", async () => {
  const runtime = await open();
  const running = runtime.step(step("echo $$; exec sleep 600", { timeoutMs: 500 }), PATIENTLY);
  const pid = await heardPid();
  await expect(running).rejects.toMatchObject({ code: "step_timed_out" });
  expect(isRunning(pid)).toBe(false);
});

test("a step that is called off ends with its children, for the reason that was given", async () => {
  const runtime = await open();
  const off = new AbortController();
  const running = runtime.step(step("sleep 600 & echo $!; wait"), off.signal);
  const pid = await heardPid();
  off.abort(new Error("It is enough."));
  await expect(running).rejects.toThrow("It is enough.");
  expect(await untilGone(pid)).toBe(true);
});

test("one that was called off before it began does not begin", async () => {
  const runtime = await open();
  const signal = AbortSignal.abort(new Error("Too late."));
  await expect(runtime.step(step("echo began"), signal)).rejects.toThrow("Too late.");
  expect(await readLog(bench().place.logs, { process: "setup", last: 10 })).toEqual([]);
});

test("a step holds up no other command, and another step runs beside it", async () => {
  const runtime = await open();
  const off = new AbortController();
  const long = runtime.step(step("echo $$; exec sleep 600"), off.signal);
  await heardPid();
  await runtime.apply(only());
  expect(await runtime.step(step("echo beside", { name: "seed" }), PATIENTLY)).toMatchObject({
    lastLines: ["beside"],
  });
  off.abort(new Error("Done."));
  await expect(long).rejects.toThrow("Done.");
});

test("when the server that asked for it is gone a step ends: nobody would go on from it", async () => {
  const runtime = await open();
  const running = runtime.step(step("echo $$; exec sleep 600"), PATIENTLY);
  const pid = await heardPid();
  runtime.disconnect();
  await expect(running).rejects.toMatchObject({ code: "keeper_gone" });
  expect(await untilGone(pid)).toBe(true);
  expect(await findRuntime(bench().place)).toBeDefined();
});

test("a keeper that is stopped ends its steps first and leaves nothing", async () => {
  const runtime = await open();
  const running = runtime.step(
    step("trap '' TERM; echo $$; sleep 600 & wait; sleep 600"),
    PATIENTLY,
  );
  await heardPid();
  const [outcome] = await Promise.allSettled([running, runtime.stop()]);
  expect(outcome.status).toBe("rejected");
  expect(await findMarked(MARK_VARIABLE, bench().place.mark)).toEqual([]);
});

test("what a step needs to reach is there before it, and stays", async () => {
  const runtime = await open();
  const [port, socket] = [await findFreePort(), path.join(bench().folder, "target.sock")];
  const server = createServer((near) => near.end("hello from the database\n")).listen(socket);
  await once(server, "listening");
  const command = `node -e 'require("net").connect(${port}, "127.0.0.1").pipe(process.stdout)'`;
  const relays = [{ port, socket, isHeld: false }];

  const first = await runtime.step(step(command, { relays }), PATIENTLY);
  expect(first.lastLines).toEqual(["hello from the database"]);
  expect(await runtime.step(step(command), PATIENTLY)).toEqual(first);
  server.close();
});
