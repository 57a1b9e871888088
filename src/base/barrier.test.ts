import { expect, test } from "vitest";

import { Barrier } from "./barrier.ts";

test("whoever comes while something is exchanged waits until it is done, or has failed", async () => {
  const barrier = new Barrier();
  expect(barrier.opening()).toBeUndefined();
  for (const fails of [false, true]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen: string[] = [];
    const exchanging = barrier.closedDuring(async () => {
      await promise;
      seen.push("exchanged");
      if (fails) throw new Error("It failed.");
    });
    const outcome = Promise.allSettled([exchanging]);
    const waiting = barrier.opening()?.then(() => seen.push("let in"));
    expect(waiting).toBeDefined();
    resolve();
    expect(await outcome).toMatchObject([{ status: fails ? "rejected" : "fulfilled" }]);
    await waiting;
    expect(seen).toEqual(["exchanged", "let in"]);
    expect(barrier.opening()).toBeUndefined();
  }
});
