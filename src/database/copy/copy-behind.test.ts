import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { exists, removeInside } from "../../base/remove-inside.ts";
import { createTestFolder, failureOf } from "../test-home.ts";
import { hurrying } from "./copy-behind.ts";
import { copyFolder } from "./copy-folder.ts";

const MEGABYTE = 1024 * 1024;
const LIMIT = { timeoutMs: 20_000 };
let root: string;
let source: string;
let target: string;

beforeEach(async () => {
  root = await createTestFolder();
  [source, target] = [path.join(root, "source"), path.join(root, "target")];
  await mkdir(source);
  await mkdir(target);
});
afterEach(async () => removeInside(os.tmpdir(), root));

function copyBehind(signal = new AbortController().signal): ReturnType<typeof copyFolder> {
  return copyFolder(source, target, { skip: () => false, uid: null, behind: signal });
}

/** How eagerly the kernel gives each thread of this program a turn: 19 is least. */
async function listPriorities(): Promise<readonly number[]> {
  const threads = await readdir("/proc/self/task");
  const stats = threads.map(async (thread) => readFile(`/proc/self/task/${thread}/stat`, "utf8"));
  return (await Promise.all(stats)).map((stat) =>
    Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]),
  );
}

test("files that are copied behind arrive whole", async () => {
  const large = Buffer.alloc(3 * MEGABYTE + 5, "large");
  await writeFile(path.join(source, "large"), large);
  await mkdir(path.join(source, "inner"));
  await writeFile(path.join(source, "inner", "small"), "small");

  const { bytes } = await copyBehind();

  expect(bytes).toBe(large.length + 5);
  expect((await readFile(path.join(target, "large"))).equals(large)).toBe(true);
  expect(await readFile(path.join(target, "inner", "small"), "utf8")).toBe("small");
});

test.skipIf(process.platform !== "linux")(
  "the thread that copies behind has the least priority, and no other thread has",
  async () => {
    await writeFile(path.join(source, "file"), Buffer.alloc(MEGABYTE));
    const before = (await listPriorities()).filter((priority) => priority === 19);
    await copyBehind();
    const after = (await listPriorities()).filter((priority) => priority === 19);
    expect(after.length).toBeLessThanOrEqual(1);
    expect(after.length).toBeGreaterThanOrEqual(before.length);
    expect(os.getPriority(0)).toBeLessThan(19);
  },
);

test("it stands still while someone is in a hurry, and goes on when nobody is", async () => {
  await writeFile(path.join(source, "a"), Buffer.alloc(2 * MEGABYTE));
  const copying = await hurrying(async () => {
    const begun = { copy: copyBehind() };
    await waitFor(async () => ((await exists(path.join(target, "a"))) ? true : undefined), LIMIT);
    const outcome = await Promise.race([begun.copy, Promise.resolve("still copying")]);
    expect(outcome).toBe("still copying");
    return begun;
  });
  expect((await copying.copy).bytes).toBe(2 * MEGABYTE);
});

test("a copy that is given up ends, also while it stands still, and the next one is whole", async () => {
  await writeFile(path.join(source, "a"), Buffer.alloc(2 * MEGABYTE, "a"));
  const giveUp = new AbortController();
  const failure = await hurrying(async () => {
    const copying = failureOf(copyBehind(giveUp.signal));
    await waitFor(async () => ((await exists(path.join(target, "a"))) ? true : undefined), LIMIT);
    giveUp.abort(new Error("not wanted"));
    return copying;
  });
  expect(failure).toMatchObject({ message: "not wanted" });

  target = path.join(root, "second");
  await mkdir(target);
  expect((await copyBehind()).bytes).toBe(2 * MEGABYTE);
});

test("one that is given up before it begins copies nothing", async () => {
  await writeFile(path.join(source, "a"), "a");
  const failure = await failureOf(copyBehind(AbortSignal.abort(new Error("too late"))));
  expect(failure).toMatchObject({ message: "too late" });
  expect(await readdir(target)).toEqual([]);
});
