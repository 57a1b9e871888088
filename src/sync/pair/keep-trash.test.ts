import { mkdir, readdir, rename, utimes } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put, read } from "../../../test/sync/folders.ts";
import { openDisk } from "../disk/real-disk.ts";
import { listTrash, pull, push, restoreTrash } from "../sync.ts";
import { pruneKept } from "./kept-files.ts";

const DAY_MS = 86_400_000;

let folders: Folders;
let local: string;
let remote: string;

beforeEach(async () => {
  folders = await openFolders();
  ({ local, remote } = folders.sides);
  await put(local, { a: "1", "d/b": "+x1", "d/c": "1", l: "->a" });
  await push(folders.sides, { force: false });
});
afterEach(async () => folders.close());

/** The environment's files are displaced by others. */
async function displace(): Promise<string> {
  await put(remote, { a: "theirs", "d/b": "theirs" });
  await push(folders.sides, { force: true });
  const [latest] = await listTrash(folders.sides);
  return latest?.id ?? "";
}

test("what was displaced is listed by side, the latest first, with where it stood", async () => {
  const id = await displace();
  await put(remote, { "d/c": "2" });
  await pull(folders.sides, { force: false });
  const listed = await listTrash(folders.sides);
  expect(listed.map(({ side, path: name, bytes }) => [side, name, bytes])).toEqual([
    ["workspace", "d/c", 1],
    ["environment", "a", 6],
    ["environment", "d/b", 6],
  ]);
  expect(listed.slice(1).map((one) => one.id)).toEqual([id, id]);
  expect(new Date(listed[0]?.at ?? "").toISOString()).toBe(listed[0]?.at);
});

test("all of one time, or only what is named, goes back; what stood there is kept in turn", async () => {
  const id = await displace();
  const { restored, displaced } = await restoreTrash(folders.sides, { id, paths: ["d"] });
  expect(restored).toEqual([{ side: "environment", path: "d/b" }]);
  expect(await read(displaced[0] ?? "")).toEqual({ "d/b": "+x1" });
  expect(await read(remote)).toMatchObject({ a: "1", "d/b": "theirs" });
  expect((await restoreTrash(folders.sides, { id, paths: [] })).restored).toEqual([
    { side: "environment", path: "a" },
  ]);
  expect(await read(remote)).toMatchObject({ a: "theirs", "d/b": "theirs" });
  expect((await listTrash(folders.sides)).filter((one) => one.id === id)).toHaveLength(2);
});

test("a folder in the way is a problem of that path alone", async () => {
  const id = await displace();
  await rename(path.join(remote, "a"), path.join(remote, "moved"));
  await put(remote, { "a/x": "1" });
  const { restored, left } = await restoreTrash(folders.sides, { id, paths: [] });
  expect(restored.map((one) => one.path)).toEqual(["d/b"]);
  expect(left.get("a")?.code).toBe("sync_blocked");
});

test.each(["2020-01-01T00-00-00.000Z", "../..", "..", ""])(
  "nothing is kept under %j, and nothing is put back",
  async (id) => {
    await displace();
    await expect(restoreTrash(folders.sides, { id, paths: [] })).rejects.toMatchObject({
      code: "trash_unknown",
    });
  },
);

test("what is older than a week goes, and so does the oldest where there is too much", async () => {
  const trash = path.join(folders.sides.home, "trash");
  const now = Date.parse("2026-05-10T12:00:00.000Z");
  const times = [
    "2026-05-01T12-00-00.000Z",
    "2026-05-09T12-00-00.000Z",
    "2026-05-10T11-00-00.000Z",
  ];
  for (const time of times) await put(path.join(trash, time), { "deep/a": "1", l: "->a" });
  await mkdir(path.join(trash, "of somebody"));
  await utimes(path.join(trash, "of somebody"), 0, 0);
  const home = folders.sides.home;
  const disk = openDisk({
    tree: remote,
    store: { base: path.dirname(home), path: path.basename(home) },
  });
  await pruneKept(disk, now);
  disk.rest();
  expect((await readdir(trash)).toSorted()).toEqual([...times.slice(1), "of somebody"]);
  await pruneKept(disk, now + 30 * DAY_MS);
  disk.rest();
  expect(await readdir(trash)).toEqual(["of somebody"]);
});
