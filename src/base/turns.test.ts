import { setImmediate } from "node:timers/promises";

import { expect, test } from "vitest";

import { Turns } from "./turns.ts";

const patient = new AbortController().signal;

test("so many at a time, in the order in which they came", async () => {
  const turns = new Turns(2);
  const order: number[] = [];
  const endings = [0, 1, 2, 3].map(async (index) => {
    const end = await turns.take(patient);
    order.push(index);
    return end;
  });
  await setImmediate();
  expect(order).toEqual([0, 1]);

  (await endings[1])?.();
  (await endings[2])?.();
  await endings[3];
  expect(order).toEqual([0, 1, 2, 3]);
});

test("a turn that is ended twice lets in one", async () => {
  const turns = new Turns(1);
  const end = await turns.take(patient);
  const entered: string[] = [];
  const waits = ["a", "b"].map(async (name) => {
    await turns.take(patient);
    entered.push(name);
  });
  end();
  end();
  await waits[0];
  await setImmediate();
  expect(entered).toEqual(["a"]);
});

test("whoever gives up while it waits is passed over", async () => {
  const turns = new Turns(1);
  const end = await turns.take(patient);
  const leaving = new AbortController();
  const [given, next] = [turns.take(leaving.signal), turns.take(patient)];
  leaving.abort(new Error("no more"));
  await expect(given).rejects.toThrow("no more");
  await expect(turns.take(leaving.signal)).rejects.toThrow("no more");

  end();
  await next;
});
