import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import {
  LIMIT_MS,
  only,
  plan,
  SEARCH_PATH,
  START,
  start,
  stateOf,
  until,
  useBench,
} from "../../test/programs/bench.ts";
import { waitFor } from "../base/clock.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { findFreePort, findMarked, isRunning, signalProcess } from "../process/process.ts";
import { type Runtime, findRuntime, startRuntime } from "./runtime.ts";

const bench = useBench();
const PATIENTLY = new AbortController().signal;
/** Whoever starts is needed: it is held still only after a while. */
const CALM_LIMIT_MS = 20_000;

function letterOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.charAt(text.lastIndexOf(")") + 2);
}

async function listOwn(): Promise<readonly number[]> {
  const { mark } = bench().place;
  const marked = await findMarked(MARK_VARIABLE, mark);
  return marked.filter((one) => one.mark === mark).map(({ pid }) => pid);
}

async function freeze(runtime: Runtime): Promise<void> {
  const frozen = await waitFor(
    async () => {
      await runtime.freeze();
      return runtime.isFrozen() || undefined;
    },
    { timeoutMs: CALM_LIMIT_MS, everyMs: 100 },
  );
  expect(frozen).toBe(true);
}

async function openFrozen(): Promise<{ readonly runtime: Runtime; readonly port: number }> {
  const port = await findFreePort();
  const runtime = await start(bench(), only(plan("serves.mjs", { port })));
  await until(runtime, "ready");
  await freeze(runtime);
  return { runtime, port };
}

async function answers(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  return answer.text();
}

describe.skipIf(process.platform !== "linux")("processes that their keeper holds still", () => {
  test("stand still as long as nobody asks, are ready all the while, and run on when they are to", async () => {
    const { runtime, port } = await openFrozen();
    const own = await listOwn();
    expect(own.length).toBeGreaterThan(0);
    expect(new Set(own.map(letterOf))).toEqual(new Set(["T"]));
    expect(stateOf(runtime).state).toBe("ready");

    const other = await findRuntime(bench().place);
    expect(other?.isFrozen()).toBe(true);
    await other?.thaw();
    expect(other?.isFrozen()).toBe(false);
    other?.disconnect();
    expect(await answers(port)).toBe("app");
    const isTold = (): true | undefined => (runtime.isFrozen() ? undefined : true);
    expect(await waitFor(isTold, { timeoutMs: LIMIT_MS })).toBe(true);
  });

  test("are started again, also when they stood still", async () => {
    const { runtime, port } = await openFrozen();
    const before = stateOf(runtime).pid ?? 0;
    await runtime.restart("web");
    await until(runtime, "ready");
    expect(runtime.isFrozen()).toBe(false);
    expect(isRunning(before)).toBe(false);
    expect(await answers(port)).toBe("app");
  });

  test("run while a step does, which may need them", async () => {
    const { runtime, port } = await openFrozen();
    const { folder, place } = bench();
    const ask = `fetch("http://127.0.0.1:${port}/").then((answer) => answer.text()).then(console.log)`;
    const result = await runtime.step(
      {
        name: "setup",
        command: `node -e '${ask}'`,
        folder,
        environment: { PATH: SEARCH_PATH, [MARK_VARIABLE]: place.mark },
        sandbox: null,
        relays: [],
        wayOut: null,
        timeoutMs: LIMIT_MS,
      },
      PATIENTLY,
    );
    expect(result).toMatchObject({ exitCode: 0, lastLines: ["app"] });
  });

  test("end when they are told to, and when their keeper was killed meanwhile", async () => {
    const { runtime } = await openFrozen();
    const pids = await listOwn();
    await runtime.stop();
    expect(pids.map(isRunning)).not.toContain(true);

    const second = (await openFrozen()).runtime;
    const left = await listOwn();
    const [keeper] = await findMarked(MARK_VARIABLE, `${bench().place.mark}.keeper`);
    signalProcess(keeper?.pid ?? 0, "SIGKILL");
    await second.closed;
    const third = await startRuntime(bench().place, START);
    expect(left.map(isRunning)).not.toContain(true);
    expect(third.processes()).toEqual([]);
  });
});
