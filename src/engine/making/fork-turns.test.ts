import { setImmediate } from "node:timers/promises";

import { expect, test } from "vitest";

import { ForkTurns } from "./fork-turns.ts";

const patient = new AbortController().signal;
/** Longer than any test takes. */
const NEVER_MS = 1_000_000;

/** Work that goes on until it is told to end. */
function longWork(): { work: () => Promise<string>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { work: async () => promise, end: () => resolve("made") };
}

test("a fork begins when one before it is done", async () => {
  const turns = new ForkTurns({ most: 1, limitMs: NEVER_MS });
  const [first, second] = [longWork(), longWork()];
  const begun: string[] = [];
  const made = turns.inTurn(first.work, patient);
  const next = turns.inTurn(async () => {
    begun.push("second");
    return second.work();
  }, patient);
  await setImmediate();
  expect(begun).toEqual([]);

  first.end();
  expect(await made).toBe("made");
  second.end();
  expect([await next, begun]).toEqual(["made", ["second"]]);
});

test("a fork that takes long lets the next one begin, and is not cut short", async () => {
  const turns = new ForkTurns({ most: 1, limitMs: 20 });
  const slow = longWork();
  const made = turns.inTurn(slow.work, patient);

  expect(await turns.inTurn(async () => "quick", patient)).toBe("quick");
  slow.end();
  expect(await made).toBe("made");
});

test("a fork that fails ends its turn", async () => {
  const turns = new ForkTurns({ most: 1, limitMs: NEVER_MS });
  const failing = turns.inTurn(async () => {
    throw new Error("no room");
  }, patient);
  await expect(failing).rejects.toThrow("no room");
  expect(await turns.inTurn(async () => "made", patient)).toBe("made");
});

test("whoever gives up waiting makes nothing", async () => {
  const turns = new ForkTurns({ most: 1, limitMs: NEVER_MS });
  const first = longWork();
  const made = turns.inTurn(first.work, patient);
  const leaving = new AbortController();
  const given = turns.inTurn(async () => "made", leaving.signal);
  leaving.abort(new Error("stopped"));

  await expect(given).rejects.toThrow("stopped");
  first.end();
  await made;
});
