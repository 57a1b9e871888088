import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { findObstacle, openDisk } from "../../test/disk.ts";
import { measureOwnBytes } from "./files.ts";
import { sumUnshared } from "./own-bytes.ts";

const MEGABYTE = 2 ** 20;

test("of a listing only what no other file shares is counted, in the blocks that each file is listed in", () => {
  const listing = [
    "Filesystem type is: 58465342",
    "File size of ./a is 5242880 (1280 blocks of 4096 bytes)",
    " ext:     logical_offset:        physical_offset: length:   expected: flags:",
    "   0:        0..      23:         24..        47:     24:             shared",
    "   1:       24..      24:         48..        48:      1:            ",
    "   2:       25..    1279:         49..      1303:   1255:       1329: last,shared,eof",
    "./a: 3 extents found",
    "File size of ./b is 1024 (1 block of 1024 bytes)",
    "   0:        0..       0:          7..         7:      1:             eof",
    "   1:        1..       1:          0..         0:      0:             last,unknown_loc,delalloc,eof",
  ].join("\n");

  expect(sumUnshared(listing)).toBe(4096 + 2 * 1024);
});

test("a folder's own bytes are what its files take up where no file shares blocks with another", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "ramet-own-"));
  try {
    await mkdir(path.join(folder, "inner"));
    await writeFile(path.join(folder, "inner", "file"), randomBytes(MEGABYTE));
    const bytes = await measureOwnBytes(folder);
    expect(bytes).toBeGreaterThanOrEqual(MEGABYTE);
    expect(bytes).toBeLessThan(1.2 * MEGABYTE);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.for(["xfs", "btrfs"] as const)(
  "on %s a reflinked copy has of its own what was written since",
  async (type, { skip }) => {
    const obstacle = await findObstacle(type);
    if (obstacle !== undefined) skip(obstacle);
    const disk = await openDisk(type, 400);
    try {
      const [source, fork] = [path.join(disk.folder, "source"), path.join(disk.folder, "fork")];
      await mkdir(source);
      await mkdir(fork);
      await writeFile(path.join(source, "rows"), randomBytes(8 * MEGABYTE));
      expect(await measureOwnBytes(source)).toBe(8 * MEGABYTE);

      const copy = path.join(fork, "rows");
      await copyFile(path.join(source, "rows"), copy, constants.COPYFILE_FICLONE_FORCE);
      expect(await measureOwnBytes(fork)).toBe(0);
      await overwrite(copy, { at: MEGABYTE, bytes: MEGABYTE });
      expect(await measureOwnBytes(fork)).toBe(MEGABYTE);
    } finally {
      await disk.close();
    }
  },
);

async function overwrite(
  file: string,
  { at, bytes }: { readonly at: number; readonly bytes: number },
): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.write(randomBytes(bytes), 0, bytes, at);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
