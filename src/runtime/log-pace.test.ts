import { expect, test } from "vitest";

import { LogPace } from "./log-pace.ts";

const MEGABYTE = 1024 * 1024;

test("a burst is taken at once, and what comes after it at a bounded rate", () => {
  const pace = new LogPace(0);
  expect(pace.take(32 * MEGABYTE, 0)).toBe(0);
  expect(pace.take(MEGABYTE, 0)).toBe(250);
  expect(pace.take(MEGABYTE, 250)).toBe(250);
});

test("whoever rested may burst again, and no more than once", () => {
  const pace = new LogPace(0);
  pace.take(32 * MEGABYTE, 0);
  expect(pace.take(32 * MEGABYTE, 60_000)).toBe(0);
  expect(pace.take(2 * MEGABYTE, 60_000)).toBe(500);
});
