import { randomInt } from "node:crypto";

import { expect, test } from "vitest";

import { simulateMany } from "../../test/sync/many-simulations.ts";
import { type Outcome, simulate, type SimulationOptions } from "../../test/sync/simulation.ts";

/** `npm run faults -- sync-properties` runs as many as it is told to. */
const RUNS = 25_000;
/** Of the first run; each other has the next. */
const SEED = randomInt(2 ** 31);
/** Half a minute of two processors, on a machine that has a twentieth of them left. */
const LIMIT_MS = 600_000;
const CRASHES = 0.01;
const FAILURES = 0.005;

/** Every other one dies now and then; of every other two calls fail. */
function optionsOf(seed: number, exchanges: SimulationOptions["exchanges"]): SimulationOptions {
  const crashes = seed % 2 === 0 ? CRASHES : 0;
  return { seed, exchanges, crashes, failures: seed % 4 < 2 ? 0 : FAILURES };
}

test.each(["yes", "no"] as const)(
  `nothing is lost whoever writes between any two steps, and wherever it dies (files change places: %s; seed ${SEED})`,
  async (exchanges) => {
    const seeds = Array.from({ length: RUNS }, (_, at) => SEED + at);
    await simulateMany(
      seeds,
      (seed) => optionsOf(seed, exchanges),
      ({ wrong }) => expect(wrong).toEqual([]),
    );
  },
  LIMIT_MS,
);

test("where a copy is kept and then overwritten, as is common, writes are lost", async () => {
  const lost: string[] = [];
  for (let seed = 0; seed < 400; seed += 1) {
    const careless = { seed, exchanges: "carelessly", crashes: 0, failures: 0 } as const;
    lost.push(...(await simulate(careless)).lost);
  }
  expect(lost.length).toBeGreaterThan(0);
});

test("the same seed runs the same, step by step, whatever else the machine does meanwhile", async () => {
  const runs = Array.from({ length: 60 }, (_, seed) => optionsOf(seed, "no"));
  const alone: Outcome[] = [];
  for (const options of runs) alone.push(await simulate(options));
  expect(await Promise.all(runs.map(async (options) => simulate(options)))).toEqual(alone);
});
