import { chmod, mkdir, readdir, readlink, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { createFolder, removeFolder } from "../test-engine.ts";
import { makeReachable, releaseReach } from "./reach.ts";
import type { Reach } from "./reach.ts";

const IS_ROOT = process.getuid?.() === 0;

let folder: string;
let home: { folder: string; sockets: string };
beforeEach(async () => {
  folder = await createFolder();
  home = { folder: path.join(folder, "home"), sockets: path.join(folder, "home", "run") };
  await mkdir(home.folder);
});
afterEach(async () => removeFolder(folder));

/** As a fresh engine fills it. */
async function reachWithData(): Promise<Reach> {
  const reach = await makeReachable(home);
  await mkdir(path.join(reach.shared, "data"), { recursive: true });
  return reach;
}

test("a home that others can pass to keeps everything where it is", async () => {
  expect(await makeReachable(home)).toEqual({ shared: home.folder, sockets: home.sockets });
  expect(await readdir(home.folder)).toEqual([]);
});

test("releasing what was never elsewhere removes nothing", async () => {
  const reach = await reachWithData();
  await releaseReach(reach, home);
  expect(await readdir(home.folder)).toEqual(["data"]);
});

test.runIf(!IS_ROOT)("an ordinary user's home stays where it is, however closed", async () => {
  await chmod(folder, 0o700);
  expect(await makeReachable(home)).toEqual({ shared: home.folder, sockets: home.sockets });
});

test.runIf(IS_ROOT)(
  "root's home below a closed folder keeps what others must reach elsewhere, and says where",
  async () => {
    await chmod(folder, 0o700);
    const { shared, sockets } = await reachWithData();
    try {
      expect(shared.startsWith(folder)).toBe(false);
      expect(sockets).toBe(path.join(shared, "run"));
      expect(await readlink(path.join(home.folder, "shared"))).toBe(shared);
      for (let at = shared; at !== "/"; at = path.dirname(at))
        expect((await stat(at)).mode & 0o001).toBe(1);
      expect((await stat(shared)).mode & 0o777).toBe(0o711);
    } finally {
      await releaseReach({ shared, sockets }, home);
    }
    expect(await exists(shared)).toBe(false);
    expect(await readdir(home.folder)).toEqual([]);
  },
);

test.runIf(IS_ROOT)(
  "the same home finds the same place again, and another home another",
  async () => {
    await chmod(folder, 0o700);
    const other = {
      folder: path.join(folder, "other"),
      sockets: path.join(folder, "other", "run"),
    };
    await mkdir(other.folder);
    const first = await reachWithData();
    const others = await makeReachable(other);
    await mkdir(path.join(others.shared, "data"));
    try {
      expect(await makeReachable(home)).toEqual(first);
      expect(others.shared).not.toBe(first.shared);
    } finally {
      await releaseReach(first, home);
      await releaseReach(others, other);
    }
  },
);

test.runIf(IS_ROOT)("what still holds an environment's data is not released", async () => {
  await chmod(folder, 0o700);
  const reach = await reachWithData();
  const rows = path.join(reach.shared, "data", "abcdefghijklmnop");
  await mkdir(rows);
  await writeFile(path.join(rows, "rows"), "precious");
  try {
    await releaseReach(reach, home);
    expect(await exists(path.join(rows, "rows"))).toBe(true);
    expect(await exists(path.join(home.folder, "shared"))).toBe(true);
  } finally {
    await removeAll(rows, reach);
  }
});

async function removeAll(rows: string, reach: Reach): Promise<void> {
  await rm(rows, { recursive: true });
  await releaseReach(reach, home);
}
