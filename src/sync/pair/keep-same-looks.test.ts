import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Folders, openFolders } from "../../../test/sync/folders.ts";
import { TreeWatch } from "../side/tree-watch.ts";
import { keepSame, type Merge } from "./keep-same.ts";

const LIMIT_MS = 10_000;
const NOTHING = {
  toLocal: [],
  toRemote: [],
  conflicts: [],
  revived: [],
  left: new Map(),
  displaced: null,
};

let folders: Folders;
let scopes: string[];
let stop: AbortController;
let ended: Promise<void>;

beforeEach(async () => {
  folders = await openFolders();
  await promisify(execFile)("git", ["init", "-q"], { cwd: folders.sides.local });
  vi.useFakeTimers({ toFake: ["performance"], shouldAdvanceTime: true });
  scopes = [];
  stop = new AbortController();
  ended = begin();
});
afterEach(async () => {
  stop.abort();
  await ended;
  vi.useRealTimers();
  await folders.close();
});

const merge: Merge<TreeWatch> = async ({ scope }, watches) => {
  scopes.push(scope);
  watches.local.follow("");
  return NOTHING;
};

async function begin(): Promise<void> {
  const { local, remote } = folders.sides;
  const watchRemote = (onEvent: () => void): TreeWatch => new TreeWatch(remote, onEvent);
  const options = { prefer: null, signal: stop.signal };
  for await (const _ of keepSame({ local, watchRemote }, merge, options));
}

async function edit(): Promise<void> {
  await writeFile(path.join(folders.sides.local, "a.js"), String(scopes.length));
}

/** Resolves with the first of them after the very first, once there was one of that scope. */
async function firstAfter(scope: string): Promise<string | undefined> {
  await expect.poll(() => scopes.slice(1), { timeout: LIMIT_MS }).toContain(scope);
  return scopes[1];
}

async function beginsWithAll(): Promise<void> {
  await expect.poll(() => scopes, { timeout: LIMIT_MS }).toEqual(["all"]);
}

test("an edit does not wait for the look at everything that is due, which follows it at once", async () => {
  await beginsWithAll();
  vi.advanceTimersByTime(31_000);
  await edit();
  expect(await firstAfter("all")).toBe("hinted");
});

test("of edits without a pause one waits for a look at everything, after a minute", async () => {
  await beginsWithAll();
  vi.advanceTimersByTime(61_000);
  await edit();
  expect(await firstAfter("all")).toBe("all");
});
