import { expect, test } from "vitest";

import { chooseSyncMethod, parseUnwritten, planSync } from "./flush.ts";

const MEMORY = `MemTotal:       24689668 kB
MemFree:        22013848 kB
Dirty:             17468 kB
Writeback:            12 kB
WritebackTmp:       9999 kB
NFS_Unstable:          0 kB
`;

test("what the machine has yet to write is what is dirty and what is on its way", () => {
  expect(parseUnwritten(MEMORY)).toBe((17_468 + 12) * 1024);
  expect(parseUnwritten(MEMORY.replace("17468", "0").replace(" 12 kB", " 0 kB"))).toBe(0);
});

test.each(["", "Dirty: 1 kB\n", "Writeback: 1 kB\n", "Dirty: many kB\nWriteback: 0 kB\n"])(
  "a system that says %j says nothing",
  (text) => {
    expect(parseUnwritten(text)).toBeUndefined();
  },
);

const GIGABYTE = 1024 ** 3;

test.each([
  { unwritten: undefined, bytes: 1, flushedBytes: 0, reflinked: false, method: "fsync" },
  { unwritten: GIGABYTE, bytes: GIGABYTE, flushedBytes: 0, reflinked: false, method: "syncfs" },
  { unwritten: GIGABYTE, bytes: GIGABYTE, flushedBytes: 0, reflinked: true, method: "fsync" },
  {
    unwritten: GIGABYTE,
    bytes: GIGABYTE,
    flushedBytes: GIGABYTE,
    reflinked: false,
    method: "fsync",
  },
  { unwritten: 0, bytes: GIGABYTE, flushedBytes: GIGABYTE, reflinked: false, method: "syncfs" },
])("what is foreign decides how a copy is flushed: %j", ({ unwritten, method, ...copied }) => {
  expect(planSync(unwritten, copied)).toBe(method);
});

test("how a copy is flushed depends on what this machine has yet to write, and is one of the two", async () => {
  for (const reflinked of [false, true])
    expect(["fsync", "syncfs"]).toContain(
      await chooseSyncMethod({ bytes: 1, flushedBytes: 0, reflinked }),
    );
});
