/** People write on both sides, on real disks, while what keeps them the same is killed again and again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { sleep, waitFor } from "../../src/base/clock.ts";
import { hasErrorCode } from "../../src/base/problem.ts";
import { exchangeFiles } from "../../src/sync/exchange-files.ts";
import { compareSides } from "../../src/sync/sync.ts";
import { randomOf, readPiece } from "./pieces.ts";

const { rounds, title } = readPiece("ROUNDS", 300);
const PROGRAM = path.join(import.meta.dirname, "../programs/keeps-same.ts");
const PATHS = ["a", "b", "c", "d/a", "d/b", "d/e/f", "g/h", "g/i/j/k"];
const SIDES = ["local", "remote"] as const;
const LATEST_MS = 400;
const START_LIMIT_MS = 30_000;
const REST_LIMIT_MS = 60_000;
const BETWEEN_ACTS_MS = 2;

let root = "";
const folders = { local: "", remote: "", home: "" };
/** What was written, and what somebody overwrote or removed where it was to be seen. */
const written = new Set<string>();
const discarded = new Set<string>();

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-sync-kills-"));
  Object.assign(folders, {
    local: path.join(root, "local"),
    remote: path.join(root, "remote"),
    home: path.join(root, "home"),
  });
  // What a person works with lies in a folder that is never transferred.
  for (const side of SIDES)
    await mkdir(path.join(folders[side], "node_modules"), { recursive: true });
});
afterAll(async () => rm(root, { recursive: true, force: true }));

test(`after ${rounds.length} kills no write is lost, and both sides are the same (${title})`, async () => {
  for (const round of rounds) {
    const random = randomOf(round);
    const program = await start();
    const end = performance.now() + random() * LATEST_MS;
    while (performance.now() < end) {
      await act(random);
      await sleep(random() * BETWEEN_ACTS_MS);
    }
    program.kill("SIGKILL");
    await once(program, "exit");
  }
  const last = await start();
  await waitFor(isAtRest, { timeoutMs: REST_LIMIT_MS, everyMs: 200 });
  last.kill("SIGKILL");
  await once(last, "exit");
  const { local, remote, conflicts } = await compareSides(folders);
  expect({ local, remote }).toEqual({ local: [], remote: [] });
  const kept = new Set([
    ...SIDES.flatMap((side) => collect(folders[side])),
    ...collect(folders.home),
  ]);
  expect([...written].filter((text) => !discarded.has(text) && !kept.has(text))).toEqual([]);
  process.stderr.write(`${written.size} writes, ${conflicts.length} conflicts\n`);
});

async function start(): Promise<ChildProcess> {
  const { local, remote, home } = folders;
  const program = spawn(process.execPath, [PROGRAM, local, remote, home], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(program.stdout, "data", { signal: AbortSignal.timeout(START_LIMIT_MS) });
  program.stdout.resume();
  return program;
}

/** As it is seen from outside, without a word to what keeps them the same. */
async function isAtRest(): Promise<true | undefined> {
  const before = PATHS.map(textsAt).join();
  await sleep(500);
  const isQuiet = before === PATHS.map(textsAt).join();
  const asides = [path.join(folders.local, ".ramet"), folders.home].flatMap((store) => {
    const intents = path.join(store, "intents");
    // One that is done with begins with a blank line.
    const isOpen = (name: string): boolean =>
      readIfThere(path.join(intents, name))?.startsWith("\n") === false;
    return [...listIfThere(path.join(store, "staged")), ...listIfThere(intents).filter(isOpen)];
  });
  return isQuiet && asides.length === 0 ? true : undefined;
}

function textsAt(name: string): string {
  return SIDES.map((side) => readIfThere(path.join(folders[side], name)) ?? "-").join("|");
}

async function act(random: () => number): Promise<void> {
  const side = folders[random() < 0.5 ? "local" : "remote"];
  const name = PATHS[Math.floor(random() * PATHS.length)] ?? "a";
  const acts = [save, save, overwrite, overwrite, remove];
  try {
    await acts[Math.floor(random() * acts.length)]?.(side, name);
  } catch (error) {
    // The folder was just removed, or a file stands where it was.
    if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EEXIST", "EISDIR", "ENOTEMPTY")) throw error;
  }
}

/** As editors do it, but that what is overwritten is seen: another file takes its place. */
async function save(side: string, name: string): Promise<void> {
  const [file, aside] = [path.join(side, name), path.join(side, "node_modules", "saved")];
  mkdirSync(path.dirname(file), { recursive: true });
  const text = newText();
  writeFileSync(aside, text);
  try {
    const isThere = exchangeFiles(aside, file) === "done";
    if (isThere) discarded.add(readFileSync(aside, "utf8"));
    else linkSync(aside, file);
  } catch (error) {
    // Something came to stand there in that instant: it was not saved at all.
    discarded.add(text);
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** As programs do it: emptied, and filled a while later. */
async function overwrite(side: string, name: string): Promise<void> {
  const descriptor = openSync(path.join(side, name), "r+");
  try {
    discarded.add(readFileSync(descriptor, "utf8"));
    ftruncateSync(descriptor);
    await sleep(1);
    writeSync(descriptor, newText(), 0);
  } finally {
    closeSync(descriptor);
  }
}

async function remove(side: string, name: string): Promise<void> {
  const aside = path.join(side, "node_modules", "removed");
  renameSync(path.join(side, name), aside);
  discarded.add(readFileSync(aside, "utf8"));
  rmSync(aside);
}

function newText(): string {
  const text = `text ${written.size}`;
  written.add(text);
  return text;
}

function collect(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(path.join(parentPath, name), "utf8"));
}

function listIfThere(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
    throw error;
  }
}
