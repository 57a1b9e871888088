import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read, type Words } from "../../../test/sync/folders.ts";
import { compareSides, keepMerged, pull, push, type Sides } from "../sync.ts";

const run = promisify(execFile);

const LIMIT_MS = 20_000;
/** More than may go without a question. */
const OUTSIDE: Words = Object.fromEntries(
  Array.from({ length: 30 }, (_, index) => [`docs/deep/${index}.md`, "text"]),
);
const INSIDE: Words = { "app/a.js": "1", "readme.md": "2" };
const NOTHING = { local: [], remote: [], conflicts: [] };

let folders: Folders;
let sides: Sides;

beforeEach(async () => {
  folders = await openFolders();
  ({ sides } = folders);
  await put(sides.local, { ...INSIDE, ...OUTSIDE });
  await git("init", "-q");
  await git("add", ".");
  await git("commit", "-q", "-m", "All");
  await push(sides, { force: false });
});
afterEach(() => folders.close());

async function git(...args: readonly string[]): Promise<void> {
  await run("git", ["-c", "user.name=A", "-c", "user.email=a@b", ...args], { cwd: sides.local });
}

function write(folder: string, name: string, text: string): Promise<void> {
  return writeFile(path.join(folder, name), text);
}

test("what a sparse checkout leaves out stays in the environment, whatever is pushed", async () => {
  await git("sparse-checkout", "set", "app");
  expect(await read(sides.local)).toEqual(INSIDE);
  expect(await compareSides(sides)).toMatchObject(NOTHING);
  await write(sides.local, "app/a.js", "edited");
  expect(await push(sides, { force: true })).toMatchObject({ changed: ["app/a.js"] });
  expect(await read(sides.remote)).toEqual({ ...INSIDE, ...OUTSIDE, "app/a.js": "edited" });
});

test("it does not come over with a pull, and is there again with the whole checkout", async () => {
  await git("sparse-checkout", "set", "app");
  await write(sides.remote, "docs/deep/0.md", "edited there");
  await write(sides.remote, "app/a.js", "there");
  expect(await pull(sides, { force: true })).toMatchObject({ changed: ["app/a.js"] });
  expect(await read(sides.local)).toEqual({ ...INSIDE, "app/a.js": "there" });
  await git("checkout", "-q", "app");
  await git("sparse-checkout", "disable");
  expect((await compareSides(sides)).conflicts).toEqual(["docs/deep/0.md"]);
});

test("while both are kept the same, a checkout that becomes sparse takes nothing from the environment", async () => {
  const stop = new AbortController();
  const kept = consume(keepMerged(sides, { prefer: null, signal: stop.signal }));
  try {
    await write(sides.local, "app/a.js", "one");
    await expect
      .poll(() => read(sides.remote), { timeout: LIMIT_MS })
      .toMatchObject({ "app/a.js": "one" });
    await git("sparse-checkout", "set", "app");
    await write(sides.local, "app/a.js", "two");
    const all = { ...INSIDE, ...OUTSIDE, "app/a.js": "two" };
    await expect.poll(() => read(sides.remote), { timeout: LIMIT_MS }).toEqual(all);
    await write(sides.remote, "docs/deep/1.md", "edited there");
    await write(sides.remote, "readme.md", "there");
    const seen = { ...INSIDE, "app/a.js": "two", "readme.md": "there" };
    await expect.poll(() => read(sides.local), { timeout: LIMIT_MS }).toEqual(seen);
  } finally {
    stop.abort();
    await kept;
  }
});

test("what is there although it is left out is a file like any other", async () => {
  await git("sparse-checkout", "set", "app");
  await put(sides.local, { "docs/deep/2.md": "mine" });
  expect(await push(sides, { force: false })).toMatchObject({ changed: ["docs/deep/2.md"] });
  expect(await read(sides.remote)).toEqual({ ...INSIDE, ...OUTSIDE, "docs/deep/2.md": "mine" });
});

async function consume(merges: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of merges);
}
