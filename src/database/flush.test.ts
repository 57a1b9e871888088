import { expect, test } from "vitest";

import { chooseSyncMethod, parseUnwritten } from "./flush.ts";

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

test("a copy of more bytes than a machine can have unwritten is flushed in one go, where that can be", async () => {
  const method = await chooseSyncMethod({ bytes: Number.MAX_SAFE_INTEGER, reflinked: false });
  expect(method).toBe(process.platform === "linux" ? "syncfs" : "fsync");
});

test("how a small copy is flushed depends on the others, and is one of the two", async () => {
  for (const reflinked of [false, true])
    expect(["fsync", "syncfs"]).toContain(await chooseSyncMethod({ bytes: 1, reflinked }));
});
