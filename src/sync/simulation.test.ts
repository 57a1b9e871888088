import fc from "fast-check";
import { expect, test } from "vitest";

import { type Outcome, simulate, type SimulationOptions } from "../../test/sync/simulation.ts";

/** `npm run faults -- sync-properties` runs as many as it is told to. */
const RUNS = 2_500;
/** Ten seconds of one processor, on a machine that has a tenth of one left. */
const LIMIT_MS = 180_000;
const CRASHES = 0.01;
const FAILURES = 0.005;

async function wrongIn(options: SimulationOptions): Promise<Pick<Outcome, "lost" | "faults">> {
  const { lost, faults } = await simulate(options);
  return { lost, faults };
}

/** Every other one dies now and then; of every other two calls fail. */
function optionsOf(seed: number, exchanges: SimulationOptions["exchanges"]): SimulationOptions {
  const crashes = seed % 2 === 0 ? CRASHES : 0;
  return { seed, exchanges, crashes, failures: seed % 4 < 2 ? 0 : FAILURES };
}

test.each(["yes", "no"] as const)(
  "nothing is lost whoever writes between any two steps, and wherever it dies (files change places: %s)",
  async (exchanges) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        expect(await wrongIn(optionsOf(seed, exchanges))).toEqual({ lost: [], faults: [] });
      }),
      { numRuns: RUNS },
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
