/** All of this as root alone, on loop devices: each test says so where it cannot be tried. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  statfs,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { findObstacle, openDisk } from "../../test/disk.ts";
import { canReflink } from "../base/can-reflink.ts";
import { exists } from "../base/remove-inside.ts";
import { createStorage, findStorage, growStorage, openStorage, removeStorage } from "./storage.ts";
import type { OpenStorage, StorageWork } from "./storage.ts";

const run = promisify(execFile);
const SIZE = 450 * 2 ** 20;
const PROGRAM = path.join(import.meta.dirname, "../../test/programs/storage.ts");
const WORK: StorageWork = { signal: new AbortController().signal, tell: () => undefined };
/** Of a create and of a remove, in their order. */
const CREATE_STEPS = [
  "image",
  "filling mounted",
  "copied",
  "filled",
  "moved aside",
  "mount point",
  "mounted",
  "before clearing",
];
const REMOVE_STEPS = [
  "copied back",
  "emptied",
  "unmounted",
  "no mount point",
  "moved back",
  "image removed",
];

let home: string;
let obstacle: string | undefined;
const opened: OpenStorage[] = [];

beforeEach(async () => {
  obstacle = await findObstacle("xfs");
  home = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-storage-")));
  await chmod(home, 0o711);
  await mkdir(path.join(home, "data"), { mode: 0o711 });
});
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  for (const folder of ["data", "storage/filling"]) {
    const { dev } = await lstat(home);
    const mounted = path.join(home, folder);
    if ((await exists(mounted)) && (await lstat(mounted)).dev !== dev)
      await run("umount", [mounted]);
  }
  await rm(home, { recursive: true });
  if ((await run("losetup", ["-a"])).stdout.includes(home))
    throw new Error(`A loop device of ${home} was left.`);
});

/** As a server that starts. */
async function open(): Promise<OpenStorage> {
  const storage = await openStorage(home, home);
  opened.push(storage);
  return storage;
}

/** An environment's folder of every kind of entry. */
async function writeEnvironment(id: string): Promise<void> {
  const folder = path.join(home, "data", id);
  await mkdir(path.join(folder, "database", "base"), { recursive: true, mode: 0o700 });
  await writeFile(path.join(folder, "database", "base", "1"), randomBytes(300_000));
  await writeFile(path.join(folder, "database", "odd\nname ~"), "odd", { mode: 0o640 });
  await symlink("base/1", path.join(folder, "database", "link"));
  await run("mkfifo", [path.join(folder, "database", "pipe")]);
  await chown(path.join(folder, "database"), 700_001, 700_001);
}

/** Everything that may not change, whichever file system it lies on. */
async function describeData(): Promise<Record<string, unknown>> {
  const data = path.join(home, "data");
  const names = (await readdir(data, { recursive: true })).filter(
    (name) => name !== ".ramet-storage",
  );
  const entries = names.toSorted().map(async (name) => {
    const file = path.join(data, name);
    const stats = await lstat(file);
    const { mode, uid, gid, mtimeMs } = stats;
    const bytes = stats.isFile() ? (await readFile(file)).toString("base64") : null;
    const link = stats.isSymbolicLink() ? await readlink(file) : null;
    return [
      name,
      { mode, uid, gid, mtimeMs: stats.isDirectory() ? 0 : mtimeMs, bytes, link },
    ] as const;
  });
  const { mode, uid } = await lstat(data);
  return { ...Object.fromEntries(await Promise.all(entries)), "": { mode, uid } };
}

async function runDying(action: "create" | "remove", step: string): Promise<string> {
  const args = [PROGRAM, action, home, String(SIZE), step];
  try {
    return (await run(process.execPath, args)).stdout;
  } catch (error) {
    if (error instanceof Error && "signal" in error && error.signal === "SIGKILL") return "";
    throw error;
  }
}

test("environments move into the image as they are, share blocks there, grow with it, and move back", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await writeEnvironment("aaaaaaaaaaaaaaaa");
  const before = await describeData();

  await createStorage(home, SIZE, WORK);
  expect(await describeData()).toEqual(before);
  expect(await canReflink(path.join(home, "data"))).toBe(true);
  expect(await findStorage(home)).toMatchObject({ mounted: true, bytes: SIZE });
  expect((await readdir(home)).toSorted()).toEqual(["data", "storage", "storage.json"]);

  const { blocks } = await statfs(path.join(home, "data"));
  await growStorage(home, 2 * SIZE);
  expect((await statfs(path.join(home, "data"))).blocks).toBeGreaterThan(1.8 * blocks);
  expect(await describeData()).toEqual(before);

  await removeStorage(home, WORK);
  expect(await describeData()).toEqual(before);
  expect(await readdir(home)).toEqual(["data"]);
});

test("a server that starts mounts the storage again, and one that stops for good unmounts it", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await writeEnvironment("aaaaaaaaaaaaaaaa");
  const before = await describeData();
  await createStorage(home, SIZE, WORK);
  await run("umount", [path.join(home, "data")]);
  expect(await readdir(path.join(home, "data"))).toEqual([]);
  expect(await findStorage(home)).toMatchObject({ mounted: false, usedBytes: null });

  const storage = await open();
  expect(await describeData()).toEqual(before);
  await storage.assertMounted();
  await storage.close();
  await expect(storage.assertMounted()).rejects.toMatchObject({ code: "storage_unmounted" });
  expect(await readdir(path.join(home, "data"))).toEqual([]);
});

test.for([
  [
    "a damaged image",
    async () => run("dd", ["if=/dev/zero", `of=${image()}`, "bs=1M", "count=8", "conv=notrunc"]),
  ],
  ["a missing image", async () => rm(image())],
  ["a damaged record", async () => writeFile(path.join(home, "storage.json"), "{")],
] as const)("with %s nothing is opened and nothing touched", async ([, damage], { skip }) => {
  if (obstacle !== undefined) skip(obstacle);
  await createStorage(home, SIZE, WORK);
  await run("umount", [path.join(home, "data")]);
  await damage();
  const record = await readFile(path.join(home, "storage.json"), "utf8");

  const refusal = { code: expect.stringMatching(/^storage_(unmounted|unreadable)$/) };
  await expect(open()).rejects.toMatchObject(refusal);
  await expect(createStorage(home, SIZE, WORK)).rejects.toMatchObject(refusal);
  expect(await readFile(path.join(home, "storage.json"), "utf8")).toBe(record);
  expect(await readdir(path.join(home, "data"))).toEqual([]);
});

function image(): string {
  return path.join(home, "storage", "image");
}

test.for(CREATE_STEPS)(
  "killed at the step %j of a create, the environments are where they were, or in the image",
  async (step, { skip }) => {
    if (obstacle !== undefined) skip(obstacle);
    await writeEnvironment("aaaaaaaaaaaaaaaa");
    const before = await describeData();
    await runDying("create", step);

    await open();
    expect(await describeData()).toEqual(before);
    const isMade = CREATE_STEPS.indexOf(step) >= CREATE_STEPS.indexOf("filled");
    expect(await canReflink(path.join(home, "data"))).toBe(isMade);
    expect((await readdir(home)).toSorted()).toEqual(
      isMade ? ["data", "storage", "storage.json"] : ["data"],
    );
  },
);

test.for(REMOVE_STEPS)(
  "killed at the step %j of a remove, the environments are in the image, or where they were before it",
  async (step, { skip }) => {
    if (obstacle !== undefined) skip(obstacle);
    await writeEnvironment("aaaaaaaaaaaaaaaa");
    const before = await describeData();
    await createStorage(home, SIZE, WORK);
    await runDying("remove", step);

    await open();
    expect(await describeData()).toEqual(before);
    const isGone = REMOVE_STEPS.indexOf(step) >= REMOVE_STEPS.indexOf("emptied");
    expect(await canReflink(path.join(home, "data"))).toBe(!isGone);
    expect((await readdir(home)).toSorted()).toEqual(
      isGone ? ["data"] : ["data", "storage", "storage.json"],
    );
  },
);

test("the steps at which it is killed are all that there are", async ({ skip }) => {
  if (obstacle !== undefined) skip(obstacle);
  await writeEnvironment("aaaaaaaaaaaaaaaa");
  expect((await runDying("create", "none")).trim().split("\n")).toEqual(CREATE_STEPS);
  expect((await runDying("remove", "none")).trim().split("\n")).toEqual(
    ["before clearing", ...REMOVE_STEPS].filter((step) => REMOVE_STEPS.includes(step)),
  );
});

test("stopped by its caller, a create leaves nothing and the environments where they were", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await writeEnvironment("aaaaaaaaaaaaaaaa");
  const before = await describeData();
  const stop = new AbortController();
  const checkpoint = (step: string): void => {
    if (step === "copied") stop.abort(new Error("Enough."));
  };
  const work = { ...WORK, signal: stop.signal, checkpoint };

  await expect(createStorage(home, SIZE, work)).rejects.toThrow("Enough.");
  expect(await describeData()).toEqual(before);
  expect(await readdir(home)).toEqual(["data"]);
});

test("what does not fit is said before anything is made, and a disk that is too full for the image leaves none", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  await writeEnvironment("aaaaaaaaaaaaaaaa");
  await expect(createStorage(home, 2 ** 20, WORK)).rejects.toMatchObject({
    code: "storage_too_small",
  });
  await expect(createStorage(home, 2 ** 43, WORK)).rejects.toMatchObject({ code: "disk_full" });
  expect(await readdir(home)).toEqual(["data"]);
});

test("an image that cannot grow for want of room stays what it was, and goes on", async ({
  skip,
}) => {
  if (obstacle !== undefined) skip(obstacle);
  const disk = await openDisk("ext4", 700);
  const outer = home;
  try {
    home = path.join(disk.folder, "home");
    await mkdir(path.join(home, "data"), { recursive: true });
    await createStorage(home, SIZE, WORK);
    await expect(growStorage(home, 3 * SIZE)).rejects.toMatchObject({ code: "disk_full" });
    expect(await findStorage(home)).toMatchObject({ mounted: true, bytes: SIZE });
    await writeEnvironment("aaaaaaaaaaaaaaaa");
    await run("umount", [path.join(home, "data")]);
  } finally {
    home = outer;
    await disk.close();
  }
});
