/** A disk without space while files are transferred, on either side: root mounts a small one, others name one (see `disk-full`). */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  statfs,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { waitFor } from "../../src/base/clock.ts";
import { messageOf } from "../../src/base/problem.ts";
import { UndoStack } from "../../src/base/undo-stack.ts";
import { keepFarMerged, keepMerged, pull, push, transferFar } from "../../src/sync/sync.ts";
import type { Sides } from "../../src/sync/sync.ts";
import { listAside } from "../sync/folders.ts";
import { codeOf, OtherMachine } from "../sync/other-machine.ts";

const KB = 1024;
const DISK_MEGABYTES = 32;
const OWN_DISK = process.env["RAMET_FAULT_DISK"];
/** What is left when it begins. A transfer needs some 3 MB, and twice that where it comes from afar. */
const ROOMS = [0, 4, 16, 64, 200, 400, 800, 1_200, 1_600, 2_000, 2_400, 2_800, 3_600, 5_000, 8_000];
const LIMIT_MS = 60_000;
const WAYS = ["here", "from afar"] as const;
const SMALL = ["workspace", "environment"] as const;

type Way = (typeof WAYS)[number];
type Small = (typeof SMALL)[number];

const undo = new UndoStack();
let obstacle: string | undefined;
let disk: string;
let root: string;

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "ramet-full-"));
  undo.push(async () => rm(folder, { recursive: true, force: true }));
  disk = OWN_DISK ?? folder;
  if (OWN_DISK !== undefined) return;
  obstacle = await mount(folder);
});
afterAll(async () => undo.undo());

async function mount(folder: string): Promise<string | undefined> {
  const run = promisify(execFile);
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_MEGABYTES}m,mode=0755`, "tmpfs", folder]);
    undo.push(async () => void (await run("umount", [folder])));
    return undefined;
  } catch (error) {
    return `no small disk can be mounted here: ${messageOf(error)}`;
  }
}

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-roomy-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
  for (const name of await readdir(disk))
    await rm(path.join(disk, name), { recursive: true, force: true });
});

type Files = ReadonlyMap<string, Buffer>;
type Stage = {
  readonly sides: Sides;
  readonly way: Way;
  readonly machine: OtherMachine;
  readonly source: string;
  readonly target: string;
  /** What the side without room has displaced. */
  readonly store: string;
};

async function openStage(small: Small, way: Way): Promise<Stage> {
  const [local, remote] =
    small === "workspace"
      ? [path.join(disk, "workspace"), path.join(root, "remote")]
      : [path.join(root, "workspace"), path.join(disk, "remote")];
  const sides = { local, remote, home: path.join(path.dirname(remote), "home") };
  await Promise.all([mkdir(local), mkdir(remote)]);
  const machine = new OtherMachine(sides);
  const [source, target] = small === "workspace" ? [remote, local] : [local, remote];
  const store = small === "workspace" ? path.join(local, ".ramet") : sides.home;
  return { sides, way, machine, source, target, store };
}

/** Another text in each, some of them large. */
function makeFiles(names: readonly string[]): Files {
  return new Map(
    names.map((name, index) => [name, randomBytes(index % 8 === 0 ? 300 * KB : 40 * KB)]),
  );
}

async function writeAll(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of files) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), bytes);
  }
}

async function transfer({ sides, way, machine, target }: Stage): Promise<string> {
  const direction = target === sides.local ? "pull" : "push";
  const plainly = { force: false };
  if (way === "from afar") return codeOf(transferFar(machine.sides, plainly, direction));
  return codeOf(direction === "pull" ? pull(sides, plainly) : push(sides, plainly));
}

async function fill(freeKilobytes: number): Promise<{ free(): Promise<void> }> {
  const file = path.join(disk, "filler");
  const { bavail, bsize } = await statfs(disk);
  await writeFile(file, Buffer.alloc(Math.max(0, bavail * bsize - freeKilobytes * KB), 1));
  return { free: async () => truncate(file, 0) };
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(disk);
  return bavail * bsize;
}

async function readAll(folder: string): Promise<readonly Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => readFile(path.join(parentPath, name))),
  );
}

/** Names of files that are neither as they were nor as they are to be, and of those that are as they are to be though what they were is gone. */
async function findTorn(
  { target, store }: Stage,
  { before, after }: { readonly before: Files; readonly after: Files },
): Promise<readonly string[]> {
  const kept = (await readAll(store)).map((bytes) => bytes.toString("base64"));
  const torn: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(name), await readIfThere(path.join(target, name))];
    if (isSame(is, was)) continue;
    const isKept = was === undefined || kept.includes(was.toString("base64"));
    if (!isSame(is, after.get(name)) || !isKept) torn.push(name);
  }
  return torn;
}

function isSame(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

const CASES = SMALL.flatMap((small) => WAYS.map((way) => [small, way] as const));
const NAMES = Array.from({ length: 30 }, (_, index) => `src/${index % 5}/file-${index}`);
const NEW_NAMES = Array.from({ length: 10 }, (_, index) => `new/${index}/file`);

test.for(CASES)(
  "where the %s has little room, files that come %s are whole, old or new; it is said, and the rest comes when there is room",
  async ([small, way], { skip }) => {
    if (obstacle !== undefined) skip(obstacle);
    const outcomes: string[] = [];
    for (const kilobytes of ROOMS) outcomes.push(await tryRoom({ small, way, kilobytes }));
    process.stderr.write(`${small}, ${way}: ${outcomes.join(" ")}\n`);
    // It is worth nothing unless some had no room, and some had.
    expect(new Set(outcomes)).toEqual(new Set(["disk_full", "done"]));
  },
);

type Try = { readonly small: Small; readonly way: Way; readonly kilobytes: number };

async function tryRoom({ small, way, kilobytes }: Try): Promise<string> {
  const stage = await openStage(small, way);
  const before = makeFiles(NAMES);
  await writeAll(stage.source, before);
  expect(await transfer(stage)).toBe("done");
  const after = makeFiles([...NAMES.slice(3), ...NEW_NAMES]);
  for (const name of NAMES.slice(0, 3)) await rm(path.join(stage.source, name));
  await writeAll(stage.source, after);
  const filler = await fill(kilobytes);
  const outcome = await transfer(stage);
  expect(await findTorn(stage, { before, after })).toEqual([]);
  // Tried again it is no worse, and takes no more room.
  const room = await freeBytes();
  expect(outcome === "done" ? outcome : await transfer(stage)).toBe(outcome);
  expect(await findTorn(stage, { before, after })).toEqual([]);
  expect(await freeBytes()).toBeGreaterThanOrEqual(room - 64 * KB);
  await filler.free();
  expect({ kilobytes, outcome: await transfer(stage) }).toEqual({ kilobytes, outcome: "done" });
  for (const [name, bytes] of after)
    expect((await readFile(path.join(stage.target, name))).equals(bytes)).toBe(true);
  expect(await listAside(stage.store)).toEqual([]);
  stage.machine.close();
  for (const folder of [disk, root])
    for (const name of await readdir(folder))
      await rm(path.join(folder, name), { recursive: true, force: true });
  return outcome;
}

test.for(CASES)(
  "where the %s has no room what keeps both the same (%s) says so once, and goes on by itself when there is",
  async ([small, way], { skip }) => {
    if (obstacle !== undefined) skip(obstacle);
    const stage = await openStage(small, way);
    const said: string[] = [];
    const stop = new AbortController();
    const options = { prefer: null, signal: stop.signal };
    const keep =
      way === "here"
        ? keepMerged(stage.sides, options)
        : keepFarMerged(stage.machine.sides, options);
    const kept = (async () => {
      for await (const { left } of keep) said.push(...[...left.values()].map(({ code }) => code));
    })();
    await writeFile(path.join(stage.source, "first"), "1");
    await untilEqual(stage, "first", Buffer.from("1"));
    const filler = await fill(100);
    const large = randomBytes(3_000 * KB);
    await writeFile(path.join(stage.source, "large"), large);
    await waitFor(() => (said.length > 0 ? true : undefined), { timeoutMs: LIMIT_MS });
    expect(said).toEqual(["disk_full"]);
    await filler.free();
    await untilEqual(stage, "large", large);
    await writeFile(path.join(stage.source, "first"), "2");
    await untilEqual(stage, "first", Buffer.from("2"));
    expect(said).toEqual(["disk_full"]);
    stop.abort();
    await kept;
    stage.machine.close();
  },
);

async function untilEqual({ target }: Stage, name: string, bytes: Buffer): Promise<void> {
  const isThere = async (): Promise<true | undefined> => {
    const found = await readIfThere(path.join(target, name));
    return found?.equals(bytes) === true ? true : undefined;
  };
  expect(await waitFor(isThere, { timeoutMs: LIMIT_MS, everyMs: 50 })).toBe(true);
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch(() => undefined); // It is not there.
}
