/**
 * Edits on both sides, ten a second, through `ramet dev` on a server's own machine and from another one at once: what server,
 * clients and the program that tends files there hold in memory comes to rest. `RAMET_FAULT_MINUTES` says for how long.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { monotonicMs, sleep } from "../../src/base/clock.ts";
import { UndoStack } from "../../src/base/undo-stack.ts";
import { environmentSchema, serverStatusSchema } from "../../src/protocol/schemas.ts";
import { keepFarMerged, keepMerged } from "../../src/sync/sync.ts";
import { type Going, type Machines, openMachines } from "../journeys/machines.ts";
import { eventually } from "../journeys/stage.ts";
import { openFolders } from "../sync/folders.ts";
import { OtherMachine } from "../sync/other-machine.ts";
import { TidyPeople } from "../sync/tidy-people.ts";
import { randomOf, readPiece } from "./pieces.ts";

const MINUTES = Number(process.env["RAMET_FAULT_MINUTES"] ?? 6);
const { title } = readPiece("ROUNDS", 1);
const SAMPLES = 60;
const SAMPLE_MS = (MINUTES * 60_000) / SAMPLES;
const EVERY_MS = 100;
const SAME_LIMIT_MS = 60_000;
/**
 * A program's garbage is collected when there is enough of it: that moves a figure by half, whatever is kept. So the least of each
 * quarter is held against another: what comes with the start (code, threads, what is known of each file) is there after
 * the first. In an hour 18,000 edits lie between the second and the last, so that some kilobytes kept of each would show; less shows below.
 */
const MOST_GROWTH = { share: 0.25, megabytes: 8 } as const;
/**
 * Of the engine alone, whose garbage can be collected at will. What code is compiled and what a cache takes once falls into one
 * step or two of these; what is kept of each edit into every one, so that the middle one tells.
 */
const ENGINE = { warmUp: 1_000, steps: 9, edits: 500, mostBytesEach: 150 } as const;
/** Kept of each edit on purpose, to see that it would be found. */
const PLANTED_BYTES = 300;
/** Collections that find nothing more to collect, and at most so many. */
const [SAME_COLLECTIONS, MOST_COLLECTIONS] = [3, 30];
const KB_PER_MB = 1_024;
const FILES = {
  "ramet.json": JSON.stringify({ app: "paper", processes: {}, database: false }),
  "package.json": JSON.stringify({ name: "paper", type: "module" }),
};

const undo = new UndoStack();
let machines: Machines;
let pids: Readonly<Record<string, number>>;
let people: readonly TidyPeople[];

beforeAll(async () => {
  machines = await openMachines(FILES);
  undo.push(async () => machines.close());
  const { server, client } = machines;
  await logIn();
  const [here, afar] = [path.join(server.folder, "clone"), path.join(client.folder, "clone")];
  const ofServer = { RAMET_HOME: server.home };
  const near = await begin(here, { name: "near", environment: ofServer, seed: 0 });
  const far = await begin(afar, { name: "far", environment: {}, seed: 1 });
  const { pid } = serverStatusSchema.parse(await server.json(server.folder, ["server", "status"]));
  if (pid === null) throw new Error("There is no server.");
  people = [near.people, far.people];
  await eventually(async () => assertSame(), SAME_LIMIT_MS);
  pids = { server: pid, tender: findTender(pid), here: near.dev.pid, afar: far.dev.pid };
}, 240_000);
afterAll(async () => undo.undo(), 120_000);

async function logIn(): Promise<void> {
  const { server, app, client } = machines;
  await server.json(app, ["user", "add", "anna"]);
  const token = z
    .object({ text: z.string() })
    .parse(await server.json(app, ["token", "create", "anna"]));
  const login = ["login", machines.url, "--ca", machines.certificateFile];
  await machines.json(client.folder, login, { RAMET_TOKEN: token.text });
}

type Beginning = {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly seed: number;
};
type Begun = { readonly people: TidyPeople; readonly dev: Going };

/** A workspace bound to an environment whose files the server keeps, with `ramet dev`. */
async function begin(workspace: string, { name, environment, seed }: Beginning): Promise<Begun> {
  const { server, app } = machines;
  await server.git(path.dirname(workspace), "clone", "-q", app, workspace);
  await server.json(app, ["env", "create", name]);
  const use = ["env", "use", name, "--app", "paper"];
  const used = environmentSchema.parse(await machines.json(workspace, use, environment));
  const sides = { local: workspace, remote: used.files.path };
  const working = new TidyPeople(sides, randomOf(seed));
  const dev = await machines.start(workspace, ["dev"], environment);
  undo.push(async () => dev.stop());
  return { people: working, dev };
}

async function assertSame(): Promise<void> {
  expect(people.map((ones) => ones.findDiffering())).toEqual([[], []]);
}

test(
  `what they hold in memory comes to rest in ${MINUTES} minutes of edits (${title})`,
  async () => {
    const held: Record<string, number>[] = [];
    const since = monotonicMs();
    while (held.length < SAMPLES) {
      for (const ones of people) ones.act();
      await sleep(EVERY_MS);
      if (monotonicMs() - since < (held.length + 1) * SAMPLE_MS) continue;
      held.push(Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, readKb(pid)])));
      process.stderr.write(`${held.length}: ${JSON.stringify(held.at(-1))}\n`);
    }
    const quarters = Object.keys(pids).map((name) => toQuarters(held.map((one) => one[name] ?? 0)));
    const told = Object.keys(pids).map((name, index) => [name, quarters[index]?.map(toMb)]);
    const edits = people.reduce((sum, ones) => sum + ones.edits, 0);
    process.stderr.write(
      `${edits} edits, the least of each quarter in MB: ${JSON.stringify(told)}\n`,
    );
    await eventually(async () => assertSame(), SAME_LIMIT_MS);
    expect(told.filter((_, index) => hasGrown(quarters[index] ?? []))).toEqual([]);
  },
  MINUTES * 90_000 + 2 * SAME_LIMIT_MS,
);

test.each(["here", "from afar"] as const)(
  `the engine keeps nothing of an edit in memory, %s (${title})`,
  async (where) => {
    expect(await measureKept(where, 0)).toBeLessThan(ENGINE.mostBytesEach);
  },
);

test(`${PLANTED_BYTES} bytes kept of each edit would be found (${title})`, async () => {
  expect(await measureKept("here", PLANTED_BYTES)).toBeGreaterThan(ENGINE.mostBytesEach);
});

/** Bytes that stay of an edit, in the middle one of some series of them. @param planted so many are kept on purpose */
async function measureKept(where: "here" | "from afar", planted: number): Promise<number> {
  const folders = await openFolders();
  const machine = new OtherMachine(folders.sides);
  const stop = new AbortController();
  const options = { prefer: null, signal: stop.signal };
  const keep =
    where === "here" ? keepMerged(folders.sides, options) : keepFarMerged(machine.sides, options);
  const kept = (async () => {
    for await (const _ of keep) machine.messages.length = 0;
  })();
  const editing = new TidyPeople(folders.sides, randomOf(2));
  const leak: Uint8Array[] = [];
  const editSome = async (count: number): Promise<number> => {
    for (const end = editing.edits + count; editing.edits < end; await sleep(5)) editing.act();
    await eventually(async () => expect(editing.findDiffering()).toEqual([]), SAME_LIMIT_MS);
    while (leak.length * planted < editing.edits * planted) leak.push(new Uint8Array(planted));
    return readLiveBytes();
  };
  const readings = [await editSome(ENGINE.warmUp)];
  while (readings.length <= ENGINE.steps) readings.push(await editSome(ENGINE.edits));
  process.stderr.write(`bytes live, ${where}, ${planted} planted: ${readings.join(" ")}\n`);
  stop.abort();
  await kept;
  machine.close();
  await folders.close();
  const growths = readings.slice(1).map((bytes, index) => bytes - (readings[index] ?? 0));
  return medianOf(growths) / ENGINE.edits;
}

/** Without what nobody can reach any more, and without compiled code: the least of several looks, until it gets no less. */
async function readLiveBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("Nothing collects garbage here.");
  let least = Number.POSITIVE_INFINITY;
  for (
    let [same, count] = [0, 0];
    same < SAME_COLLECTIONS && count < MOST_COLLECTIONS;
    count += 1
  ) {
    collect();
    // What is told of something that was collected is told in a turn of its own.
    await sleep(10);
    const bytes = countHeapBytes();
    same = bytes < least ? 0 : same + 1;
    least = Math.min(least, bytes);
  }
  return least;
}

function countHeapBytes(): number {
  const spaces = getHeapSpaceStatistics().filter(
    ({ space_name: name }) => !/code|trusted/.test(name),
  );
  const heap = spaces.reduce((sum, { space_used_size: bytes }) => sum + bytes, 0);
  return heap + process.memoryUsage().arrayBuffers;
}

function medianOf(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.trunc(figures.length / 2)] ?? 0;
}

function toQuarters(figures: readonly number[]): readonly number[] {
  const length = figures.length / 4;
  const quarters = [0, 1, 2, 3].map((at) => figures.slice(at * length, (at + 1) * length));
  return quarters.map((one) => Math.min(...one));
}

function hasGrown([, second = 0, , last = 0]: readonly number[]): boolean {
  return last > second * (1 + MOST_GROWTH.share) + MOST_GROWTH.megabytes * KB_PER_MB;
}

function toMb(kilobytes: number): number {
  return Math.round(kilobytes / KB_PER_MB);
}

/** What is its own: how much of Node's file is in memory says nothing about it. */
function readKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** Below the server, with or without a sandbox's own processes in between. */
function findTender(server: number): number {
  const pid = readdirSync("/proc")
    .map(Number)
    .filter((one) => one > 0)
    .find((one) => isTender(one) && listAbove(one).includes(server));
  if (pid === undefined) throw new Error("Nothing tends the environment's files.");
  return pid;
}

function isTender(pid: number): boolean {
  const [program = "", ...args] = readIfThere(`/proc/${pid}/cmdline`).split("\0");
  return (
    path.basename(program) === "node" &&
    args.some((one) => path.parse(one).name === "tender-program")
  );
}

function listAbove(pid: number): readonly number[] {
  const above = Number(/^PPid:\s+(\d+)$/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 0);
  return above > 1 ? [above, ...listAbove(above)] : [];
}

/** It may have ended since it was listed. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
