import { expect, test } from "vitest";

import { beginWaking, untilDatabase } from "./waking.ts";

test("the database is waited for alone, and the rest goes on", async () => {
  const { promise: processes, resolve: start } = Promise.withResolvers<void>();
  let isAll = false;
  const waking = beginWaking(async (onDatabase) => {
    onDatabase();
    await processes;
    isAll = true;
  });
  await untilDatabase(waking);
  expect(isAll).toBe(false);
  start();
  await waking.all;
  expect(isAll).toBe(true);
});

test("a wake that fails before its database serves is told to whoever waits for that", async () => {
  const waking = beginWaking(async () => Promise.reject(new Error("no files")));
  await expect(untilDatabase(waking)).rejects.toThrow("no files");
  await expect(waking.all).rejects.toThrow("no files");
});

test("one that fails after it has served its database hurts nobody who waited for that", async () => {
  const { promise: processes, reject: fail } = Promise.withResolvers<void>();
  const waking = beginWaking(async (onDatabase) => {
    onDatabase();
    await processes;
  });
  await untilDatabase(waking);
  fail(new Error("no keeper"));
  await expect(waking.all).rejects.toThrow("no keeper");
});

test("an environment without a database is waited for whole", async () => {
  await expect(untilDatabase(beginWaking(async () => undefined))).resolves.toBeUndefined();
});
