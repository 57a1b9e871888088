import { expect, test } from "vitest";

import { connectionLost } from "./problems.ts";
import { Losses } from "./streams.ts";

/** How many losses are borne, where each connection lasts so long. */
function countBorne(lastingMs: number, limit: number): number {
  let nowMs = 0;
  const losses = new Losses(() => nowMs);
  for (let count = 0; count < limit; count += 1) {
    losses.begin();
    nowMs += lastingMs;
    if (!losses.isBearable(connectionLost())) return count;
  }
  return limit;
}

test("a network that is lost again and again does not end what goes on, though nothing is printed in between", () => {
  expect(countBorne(60_000, 1_000)).toBe(1_000);
});

test("a server that dies of each question is asked a few times", () => {
  expect(countBorne(100, 1_000)).toBe(5);
});

test("whatever came in between makes a loss the first again", () => {
  const losses = new Losses(() => 0);
  for (let count = 0; count < 100; count += 1) {
    losses.begin();
    losses.forget();
    expect(losses.isBearable(connectionLost())).toBe(true);
  }
});

test("a failure that is no loss is not borne", () => {
  const losses = new Losses(() => 0);
  losses.begin();
  expect(losses.isBearable(new Error("a bug"))).toBe(false);
});
