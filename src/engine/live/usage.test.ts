import { expect, test } from "vitest";

import { systemClock } from "../../base/clock.ts";
import { Usage } from "./usage.ts";

/** A clock that stands until it is moved. */
function standing(): { usage: Usage; pass: (ms: number) => void } {
  let nowMs = 1_000_000;
  const usage = new Usage({ now: () => nowMs }, nowMs);
  return { usage, pass: (ms) => (nowMs += ms) };
}

test("idleness is counted from the last use, whatever it was", () => {
  const { usage, pass } = standing();
  pass(5000);
  expect(usage.idleMs()).toBe(5000);
  usage.touch();
  pass(10);
  expect(usage.idleMs()).toBe(10);
  expect(usage.lastTime()).toBe(new Date(1_005_000).toISOString());
});

test("while somebody is at it nothing is idle, and from when the last has left it is", () => {
  const { usage, pass } = standing();
  const [first, second] = [usage.occupy(), usage.occupy()];
  pass(5000);
  first();
  pass(5000);
  expect([usage.isOccupied(), usage.idleMs()]).toEqual([true, 0]);
  second();
  expect([usage.isOccupied(), usage.idleMs()]).toEqual([false, 0]);
  pass(7);
  expect(usage.idleMs()).toBe(7);
});

test("who leaves twice has left once", () => {
  const { usage } = standing();
  const [leave, stay] = [usage.occupy(), usage.occupy()];
  leave();
  leave();
  expect(usage.isOccupied()).toBe(true);
  stay();
  expect(usage.isOccupied()).toBe(false);
});

test("work that fails has been use as well, and is over", async () => {
  const { usage, pass } = standing();
  pass(5000);
  const failing = usage.during(async () => Promise.reject(new Error("no")));
  expect(usage.isOccupied()).toBe(true);
  await expect(failing).rejects.toThrow("no");
  expect([usage.isOccupied(), usage.idleMs()]).toEqual([false, 0]);
});

test("every use is told at once, and a request is counted besides", () => {
  let told = 0;
  const usage = new Usage(systemClock, 0, () => {
    told += 1;
  });
  usage.touch();
  expect([told, usage.requests()]).toEqual([1, 0]);
  const leave = usage.serve();
  expect([told, usage.requests(), usage.isOccupied()]).toEqual([2, 1, true]);
  leave();
  expect([told, usage.isOccupied()]).toEqual([3, false]);
});
