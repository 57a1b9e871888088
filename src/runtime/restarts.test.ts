import fc from "fast-check";
import { expect, test } from "vitest";

import { NO_RESTARTS, isHopeless, planRestart } from "./restarts.ts";

function delays(lives: readonly (number | null)[]): readonly number[] {
  let restarts = NO_RESTARTS;
  return lives.map((readyMs) => {
    restarts = planRestart(restarts, readyMs);
    return restarts.delayMs;
  });
}

test("the delay doubles from half a second up to half a minute", () => {
  expect(delays(Array.from({ length: 8 }, () => 1_000))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
  ]);
});

test("a minute of good life makes it short again", () => {
  expect(delays([1_000, 1_000, 59_999, 60_000, 1_000])).toEqual([500, 1_000, 2_000, 500, 1_000]);
});

test("five ends in a row without being ready are hopeless, and being ready once gives hope again", () => {
  let restarts = NO_RESTARTS;
  for (let life = 1; life <= 4; life += 1) restarts = planRestart(restarts, null);
  expect(isHopeless(restarts)).toBe(false);

  restarts = planRestart(restarts, null);
  expect(isHopeless(restarts)).toBe(true);
  expect(restarts.delayMs).toBe(30_000);

  expect(isHopeless(planRestart(restarts, 100))).toBe(false);
});

const lives = fc.array(fc.option(fc.integer({ min: 0, max: 200_000 })), { maxLength: 40 });

test("whatever the lives, the delay lies between half a second and half a minute", () => {
  fc.assert(
    fc.property(lives, (all) => {
      for (const delayMs of delays(all)) {
        expect(delayMs).toBeGreaterThanOrEqual(500);
        expect(delayMs).toBeLessThanOrEqual(30_000);
      }
    }),
  );
});

test("whatever came before, a minute of good life is forgiven, and five bad ones in a row are not", () => {
  fc.assert(
    fc.property(lives, fc.integer({ min: 60_000, max: 1e9 }), (all, goodMs) => {
      const before = all.reduce(planRestart, NO_RESTARTS);
      expect(planRestart(before, goodMs)).toEqual({ failures: 0, delayMs: 500 });
      const after = [null, null, null, null, null].reduce(planRestart, before);
      expect(isHopeless(after)).toBe(true);
      expect(after.delayMs).toBe(30_000);
    }),
  );
});
