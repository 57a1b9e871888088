import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";

import { expect, test } from "vitest";

import { StagingRoom } from "./staging-room.ts";

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(tmpdir());
  return bavail * bsize;
}

test("what a disk has room for twice is taken, and no more of it", async () => {
  const room = new StagingRoom(tmpdir());
  const third = Math.floor((await freeBytes()) / 3);
  await room.take(1);
  await room.take(third);
  // What was taken has not been written here: for the rest twice there would be room, but not beside its copy.
  await expect(room.take(third)).rejects.toThrow(expect.objectContaining({ code: "disk_full" }));
  room.clear();
  await room.take(third);
});

test("the disk's last is nobody's", async () => {
  const half = Math.floor((await freeBytes()) / 2);
  const taking = new StagingRoom(tmpdir()).take(half);
  await expect(taking).rejects.toThrow(expect.objectContaining({ code: "disk_full" }));
});
