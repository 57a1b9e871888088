import { expect, test } from "vitest";

import { forEachParallel } from "./for-each-parallel.ts";

/** Lets every promise that can settle do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

test("every item is worked on once, with at most so many at a time", async () => {
  const items = Array.from({ length: 50 }, (_, index) => index);
  const seen: number[] = [];
  let running = 0;
  let most = 0;
  await forEachParallel(items, 4, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await settle();
    seen.push(item);
    running -= 1;
  });
  expect(seen.toSorted((a, b) => a - b)).toEqual(items);
  expect(most).toBe(4);
});

test("an item that takes long holds up nobody else's", async () => {
  const slow = Promise.withResolvers<void>();
  const done: string[] = [];
  const all = forEachParallel(["slow", "a", "b", "c"], 2, async (item) => {
    if (item === "slow") await slow.promise;
    done.push(item);
  });
  await settle();
  expect(done).toEqual(["a", "b", "c"]);
  slow.resolve();
  await all;
  expect(done).toEqual(["a", "b", "c", "slow"]);
});

test("after a failure nothing more is begun, what runs is waited for, and the failure is thrown", async () => {
  const slow = Promise.withResolvers<void>();
  const begun: string[] = [];
  let isSlowDone = false;
  const all = forEachParallel(["slow", "bad", "c", "d"], 2, async (item) => {
    begun.push(item);
    if (item === "bad") throw new Error("no");
    await slow.promise;
    isSlowDone = true;
  });
  await settle();
  slow.resolve();
  await expect(all).rejects.toThrow("no");
  expect(isSlowDone).toBe(true);
  expect(begun).toEqual(["slow", "bad"]);
});

test("no items are no work", async () => {
  let begun = 0;
  await forEachParallel([], 4, async () => {
    begun += 1;
  });
  expect(begun).toBe(0);
});
