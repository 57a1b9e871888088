/** What is larger than tests of every day can be: a million files that git ignores, and a file of two gigabytes. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, linkSync, mkdirSync } from "node:fs";
import { mkdir, open, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { compareFar, compareSides, pull, push, transferFar } from "../../src/sync/sync.ts";
import { type Folders, openFolders, put, read } from "../sync/folders.ts";
import { OtherMachine } from "../sync/other-machine.ts";

const GB = 2 ** 30;
const MB = 2 ** 20;
const ENTRIES = 1_000_000;
const A_FOLDER = 10_000;
/** Of all that is read and written, on the slowest machine. */
const LIMIT_MS = 20 * 60_000;
/** What a transfer may hold beside what it held before; the whole would be 2,048 MB. */
const MOST_MB = 200;

let folders: Folders;
let local: string;
let remote: string;

beforeEach(async () => {
  folders = await openFolders();
  ({ local, remote } = folders.sides);
});
afterEach(async () => folders.close(), LIMIT_MS);

const plainly = { force: false } as const;

test(
  "a folder of a million entries that git ignores is neither looked into nor touched",
  async () => {
    await promisify(execFile)("git", ["init", "-q", "-b", "main"], { cwd: local });
    await put(local, { ".gitignore": "cache\n", a: "1" });
    await makeEntries(path.join(local, "cache"));
    const before = await readTimes(path.join(local, "cache"));
    const since = performance.now();
    expect((await push(folders.sides, plainly)).changed).toEqual([".gitignore", "a"]);
    const first = performance.now() - since;
    await put(local, { a: "2" });
    expect((await push(folders.sides, plainly)).changed).toEqual(["a"]);
    await put(remote, { a: "3" });
    expect((await pull(folders.sides, plainly)).changed).toEqual(["a"]);
    const all = performance.now() - since;
    expect(await read(remote)).toEqual({ ".gitignore": "cache\n", a: "3" });
    expect(await readTimes(path.join(local, "cache"))).toEqual(before);
    process.stderr.write(`${Math.round(first)} ms for the first push, ${Math.round(all)} in all\n`);
  },
  LIMIT_MS,
);

/** Names of one file, as far as the disk lets it have so many: no byte is written for any but a few. */
async function makeEntries(folder: string): Promise<void> {
  let source = "";
  for (let at = 0; at < ENTRIES; at += A_FOLDER) {
    const inner = path.join(folder, `${at}`);
    mkdirSync(inner, { recursive: true });
    source = path.join(inner, "source");
    await writeFile(source, "x");
    for (let count = 1; count < A_FOLDER; count += 1)
      linkSync(source, path.join(inner, `${count}`));
  }
}

/** When each folder was read last: whoever looks into one that was changed since leaves a trace. */
async function readTimes(folder: string): Promise<readonly bigint[]> {
  const names = Array.from({ length: ENTRIES / A_FOLDER }, (_, index) => `${index * A_FOLDER}`);
  const stats = names.map(async (name) => stat(path.join(folder, name), { bigint: true }));
  return (await Promise.all(stats)).map(({ atimeNs }) => atimeNs);
}

test.each(["here", "from afar"])(
  "a file of 2 GB goes there and back as it is, %s, without being held in memory",
  async (where) => {
    await makeLarge(path.join(local, "large.bin"), 1);
    const machine = new OtherMachine(folders.sides);
    const isFar = where === "from afar";
    const send = async (direction: "push" | "pull"): Promise<readonly string[]> => {
      const way = direction === "push" ? push : pull;
      const transferred = isFar
        ? await transferFar(machine.sides, plainly, direction)
        : await way(folders.sides, plainly);
      return transferred.changed;
    };
    const memory = watchMemory();
    expect(await send("push")).toEqual(["large.bin"]);
    expect(await digest(path.join(remote, "large.bin"))).toBe(
      await digest(path.join(local, "large.bin")),
    );
    await makeLarge(path.join(remote, "large.bin"), 2);
    expect(await send("pull")).toEqual(["large.bin"]);
    expect(await digest(path.join(local, "large.bin"))).toBe(
      await digest(path.join(remote, "large.bin")),
    );
    const compared = isFar ? await compareFar(machine.sides) : await compareSides(folders.sides);
    const absent = { local: [], remote: [] };
    expect(compared).toEqual({ local: [], remote: [], conflicts: [], absent, unread: [] });
    machine.close();
    const most = memory.stop();
    process.stderr.write(`${most} MB more were held at most, ${where}\n`);
    expect(most).toBeLessThan(MOST_MB);
  },
  LIMIT_MS,
);

/** Two gigabytes with holes, and something in each part of it that is nowhere else. */
async function makeLarge(file: string, version: number): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, "w");
  try {
    for (let at = 0; at < 2 * GB; at += 16 * MB) await handle.write(`${version}:${at};`, at);
    await handle.write("the end", 2 * GB - 7);
  } finally {
    await handle.close();
  }
}

async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(file, { highWaterMark: 4 * MB })) hash.update(part);
  return hash.digest("hex");
}

/** In megabytes, beyond what is held now. */
function watchMemory(): { stop(): number } {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round((most - before) / MB);
    },
  };
}
