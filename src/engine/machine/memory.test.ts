import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../../base/write-atomically.ts";
import { isShort, readMemory } from "./memory.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-memory-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test("what the machine has is read as the kernel tells it, pressure where it tells that", async () => {
  await writeAtomically(
    path.join(folder, "meminfo"),
    "MemTotal:       16000000 kB\nMemFree:          100000 kB\nMemAvailable:    8000000 kB\n",
  );
  const memory = { totalBytes: 16_384_000_000, availableBytes: 8_192_000_000 };
  expect(await readMemory(folder)).toEqual({ ...memory, stalled: 0 });
  await mkdir(path.join(folder, "pressure"));
  await writeAtomically(
    path.join(folder, "pressure", "memory"),
    "some avg10=12.50 avg60=3.00 avg300=0.00 total=1\nfull avg10=99.00 avg60=0 avg300=0 total=0\n",
  );
  expect(await readMemory(folder)).toEqual({ ...memory, stalled: 0.125 });
});

test("where the machine does not tell it, nothing is known", async () => {
  expect(await readMemory(folder)).toBeNull();
});

test.each([
  [{ totalBytes: 16e9, availableBytes: 1.1e9, stalled: 0 }, false],
  [{ totalBytes: 16e9, availableBytes: 0.9e9, stalled: 0 }, true],
  [{ totalBytes: 2e9, availableBytes: 0.13e9, stalled: 0 }, false],
  [{ totalBytes: 2e9, availableBytes: 0.11e9, stalled: 0 }, true],
  [{ totalBytes: 16e9, availableBytes: 3e9, stalled: 0.3 }, true],
  [{ totalBytes: 16e9, availableBytes: 3e9, stalled: 0.2 }, false],
  [{ totalBytes: 16e9, availableBytes: 9e9, stalled: 0.3 }, false],
])("%j is short of memory: %s", (memory, short) => {
  expect(isShort(memory)).toBe(short);
});
