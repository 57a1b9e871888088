import { expect, test } from "vitest";

import { Crashes } from "./crashes.ts";

const MINUTE = 60_000;

test("three ends within ten minutes are a loop; those before are forgotten", () => {
  const crashes = new Crashes();
  crashes.note(0);
  crashes.note(1);
  expect(crashes.findLoop(1)).toBeUndefined();
  crashes.note(2);
  expect(crashes.findLoop(2)).toBe(3);
  crashes.note(5 * MINUTE);
  expect(crashes.findLoop(9 * MINUTE)).toBe(4);
  expect(crashes.findLoop(11 * MINUTE)).toBeUndefined();
});

test("one that has calmed down begins anew", () => {
  const crashes = new Crashes();
  for (const atMs of [0, 1, 2]) crashes.note(atMs);
  crashes.forget();
  crashes.note(3);
  expect(crashes.findLoop(3)).toBeUndefined();
});
