import { expect, test } from "vitest";

import { collectSpans, traced } from "./trace.ts";

test("steps are told in the order of their beginnings, also those deep inside and those that fail", async () => {
  const gate = Promise.withResolvers<void>();
  const { outcome, spans } = await collectSpans(async () => {
    const first = traced("first", async () => {
      await traced("inside", async () => gate.promise);
    });
    const second = traced("second", async () => {
      gate.resolve();
      throw new Error("no");
    });
    await Promise.allSettled([first, second]);
    return "done";
  });

  expect(outcome).toBe("done");
  expect(spans.map(({ name }) => name)).toEqual(["first", "inside", "second"]);
  for (const { beganMs, ms } of spans) expect(Math.min(beganMs, ms)).toBeGreaterThanOrEqual(0);
});

test("two traces at once know nothing of each other, and work outside one is not traced", async () => {
  expect(await Promise.all([collect("a"), collect("b")])).toEqual([["a"], ["b"]]);
  expect(await traced("alone", async () => Promise.resolve(1))).toBe(1);
});

async function collect(name: string): Promise<readonly string[]> {
  const { spans } = await collectSpans(async () => traced(name, async () => Promise.resolve()));
  return spans.map((span) => span.name);
}

test("what loops keeps a bounded number of steps", async () => {
  const { spans } = await collectSpans(async () => {
    for (let index = 0; index < 1_500; index += 1)
      await traced("again", async () => Promise.resolve());
  });
  expect(spans).toHaveLength(1_000);
});
