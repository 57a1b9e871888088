import { expect, test } from "vitest";

import { Calm } from "./calm.ts";

test("while one of several waits there is no calm, and with the last one's end, or failure, it begins anew", async () => {
  const calm = new Calm();
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  expect([calm.isBroken, calm.hasLasted(0)]).toEqual([false, true]);

  const waits = [calm.breakFor(() => first.promise), calm.breakFor(() => second.promise)];
  expect([calm.isBroken, calm.hasLasted(0)]).toEqual([true, false]);
  first.resolve("made");
  await expect(waits[0]).resolves.toBe("made");
  expect(calm.isBroken).toBe(true);
  second.reject(new Error("no room"));
  await expect(waits[1]).rejects.toThrow("no room");

  expect([calm.isBroken, calm.hasLasted(0), calm.hasLasted(60_000)]).toEqual([false, true, false]);
});
