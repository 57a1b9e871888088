import { expect, test } from "vitest";

import { Traffic } from "./traffic.ts";

/** How many of these messages, so many milliseconds apart, count as use. */
function countUses(lengths: Iterable<number>, everyMs: number): number {
  const traffic = new Traffic();
  let uses = 0;
  let nowMs = 1_000_000;
  for (const bytes of lengths) {
    if (traffic.isUse(bytes, nowMs)) uses += 1;
    nowMs += everyMs;
  }
  return uses;
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

test("a heartbeat is use when it comes first, and never again", () => {
  expect(
    countUses(
      times(10_000, () => 38),
      3000,
    ),
  ).toBe(1);
});

test("a poll of several messages that always look the same is none", () => {
  const poll = [12, 210, 13];
  expect(
    countUses(
      times(3000, (index) => poll[index % 3] ?? 0),
      333,
    ),
  ).toBe(3);
});

test("a counter in a heartbeat shows only where it grows by a digit", () => {
  expect(
    countUses(
      times(1500, (index) => `["ping",${index}]`.length),
      1000,
    ),
  ).toBe(4);
});

test("what a person or a program does has many lengths, and goes on being use", () => {
  const uses = countUses(
    times(300, (index) => 20 + ((index * 37) % 101)),
    2000,
  );
  expect(uses).toBe(300);
});

test("the same again and again, but without pause, is use: somebody measures, or loads", () => {
  expect(
    countUses(
      times(20_000, () => 64),
      2,
    ),
  ).toBeGreaterThan(15_000);
});

test("a large message is no heartbeat, however often it comes", () => {
  expect(
    countUses(
      times(100, () => 65_536),
      5000,
    ),
  ).toBe(100);
});

test("lengths that have not been seen for long are forgotten", () => {
  const rounds = times(100, (index) => 10 + (index % 9));
  expect(countUses(rounds, 5000)).toBe(100);
});
