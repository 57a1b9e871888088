import { expect, test } from "vitest";

import { describeFork } from "./describe-created.ts";

const home = "/var/lib/ramet";
const copy = { way: "copy", bytes: 1e9, missed: "no standby was ready" } as const;

test("a fork that moved no byte needs no faster way", () => {
  for (const way of ["reflink", "standby", "empty"] as const) {
    const view = { way, bytes: null, ms: 9, why: null, remedy: null };
    expect(describeFork({ way, bytes: null, missed: null }, 9, { home })).toEqual(view);
  }
});

test("a copy says why its bytes were moved, and what the machine could do about it", () => {
  const linux = describeFork(copy, 900, { home, platform: "linux" });
  expect(linux.why).toBe("copies share no blocks on this disk, and no standby was ready");
  expect(linux.remedy).toContain("`sudo ramet server storage create` lets");
  expect(linux.remedy).toContain('`"database": { "warm": 2 }`');

  const mac = describeFork({ ...copy, missed: null }, 900, { home, platform: "darwin" });
  expect(mac.why).toContain("its source is to have no standby");
  expect(mac.remedy).not.toContain("storage");
  expect(mac.remedy).toContain('"warm": 1');
});

test("whoever sits at another machine is not told to change that one", () => {
  const { remedy } = describeFork(copy, 900, { home, isAfar: true, platform: "linux" });
  expect(remedy).toContain("`sudo ramet server storage create`, on the server's machine, lets");
});

test("a reset is not told to keep more standbys, of which it uses none", () => {
  const reset = { home, isReset: true } as const;
  const linux = describeFork(copy, 900, { ...reset, platform: "linux" });
  expect(linux.why).toContain("a reset promotes no standby");
  expect(linux.remedy).not.toContain("warm");
  expect(describeFork(copy, 900, { ...reset, platform: "darwin" }).remedy).toBeNull();
});
