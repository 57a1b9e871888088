// Where a test's environment has its keeper, its logs and its processes; ended and removed after each test.
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach } from "vitest";

import { waitFor } from "../../src/base/clock.ts";
import { type ProcessState, isEnvironmentId } from "../../src/environment/environment.ts";
import { MARK_VARIABLE, type RuntimePlace } from "../../src/environment/places.ts";
import { findMarked, signalProcess } from "../../src/process/process.ts";
import * as door from "../../src/runtime/runtime.ts";

export const PROGRAMS = import.meta.dirname;
/** On the machine's own network. */
export const START: door.KeeperStart = { hasOwnNetwork: false };
export const SEARCH_PATH = `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
export const LIMIT_MS = 40_000;

export type Bench = { readonly folder: string; readonly place: RuntimePlace };

/** One that is new for each test. */
export function useBench(): () => Bench {
  let bench: Bench | undefined;
  beforeEach(async () => {
    bench = await makeBench();
  });
  afterEach(async () => {
    if (bench !== undefined) await clearBench(bench);
  });
  return () => {
    if (bench === undefined) throw new Error("There is a bench within a test alone.");
    return bench;
  };
}

/** The fixture as a process `web`, without a port unless it is given one. */
export function plan(
  fixture: string,
  change: Partial<door.ProcessPlan> & { variables?: Readonly<Record<string, string>> } = {},
): door.ProcessPlan {
  const { variables = {}, ...rest } = change;
  const port = rest.port ?? null;
  const file = path.join(PROGRAMS, fixture);
  return {
    name: "web",
    command: `exec ${fixture.endsWith(".sh") ? "sh" : "node"} '${file}'`,
    folder: PROGRAMS,
    port,
    ready: { kind: "http", path: "/", timeoutMs: 20_000 },
    environment: {
      PATH: SEARCH_PATH,
      ...(port === null ? {} : { PORT: String(port) }),
      ...variables,
    },
    sandbox: null,
    problem: null,
    ...rest,
  };
}

export function only(...processes: readonly door.ProcessPlan[]): door.RuntimePlan {
  return { processes, relays: [], inlets: null, addresses: null, wayOut: null };
}

export async function start(bench: Bench, runtimePlan: door.RuntimePlan): Promise<door.Runtime> {
  const runtime = await door.startRuntime(bench.place, START);
  await runtime.apply(runtimePlan);
  return runtime;
}

export function stateOf(runtime: door.Runtime, name = "web"): ProcessState {
  const found = runtime.processes().find((one) => one.name === name);
  if (found === undefined) throw new Error(`No process ${name}.`);
  return found;
}

export async function until(
  runtime: door.Runtime,
  state: ProcessState["state"],
  name = "web",
): Promise<ProcessState> {
  const ask = (): ProcessState | undefined =>
    stateOf(runtime, name).state === state ? stateOf(runtime, name) : undefined;
  const found = await waitFor(ask, { timeoutMs: LIMIT_MS });
  if (found === undefined)
    throw new Error(`Never ${state}: ${JSON.stringify(stateOf(runtime, name))}`);
  return found;
}

/** The first line of a process's log that is like this. */
export async function logged(bench: Bench, pattern: RegExp, name = "web"): Promise<string> {
  const ask = async (): Promise<string | undefined> => {
    const lines = await door.readLog(bench.place.logs, { process: name, last: 1_000 });
    return lines.find((line) => pattern.test(line.text))?.text;
  };
  const text = await waitFor(ask, { timeoutMs: LIMIT_MS });
  if (text === undefined) throw new Error(`Never logged: ${pattern}`);
  return text;
}

export async function findKeeperPid({ place }: Bench): Promise<number> {
  const [keeper] = await findMarked(MARK_VARIABLE, `${place.mark}.keeper`);
  if (keeper === undefined) throw new Error("No keeper runs.");
  return keeper.pid;
}

async function makeBench(): Promise<Bench> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-runtime-")));
  const id = "aaaabbbbccccdddd";
  if (!isEnvironmentId(id)) throw new Error("This is a valid id.");
  const mark = `test.${path.basename(folder)}.runtime`;
  const logs = path.join(folder, "logs");
  return {
    folder,
    place: { id, socket: path.join(folder, "keeper.sock"), logs, user: null, mark },
  };
}

async function clearBench({ folder, place }: Bench): Promise<void> {
  const runtime = await door.findRuntime(place);
  await runtime?.stop();
  for (const { pid } of await findMarked(MARK_VARIABLE, place.mark)) signalProcess(pid, "SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
