import fc from "fast-check";
import { expect, test } from "vitest";

import { simulate, type SimulationOptions } from "../../test/sync/simulation.ts";

/** `npm run faults` runs as many as it is told to. */
const RUNS = 2_500;
const CRASHES = 0.01;

async function failures(options: SimulationOptions): Promise<object> {
  const { lost, faults } = await simulate(options);
  return { lost, faults };
}

test.each(["yes", "no"] as const)(
  "nothing is lost whoever writes between any two steps, and wherever it dies (files change places: %s)",
  async (exchanges) => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const crashes = seed % 2 === 0 ? CRASHES : 0;
        expect(await failures({ seed, exchanges, crashes })).toEqual({ lost: [], faults: [] });
      }),
      { numRuns: RUNS },
    );
  },
);

test("where a copy is kept and then overwritten, as is common, writes are lost", async () => {
  const lost: string[] = [];
  for (let seed = 0; seed < 400; seed += 1)
    lost.push(...(await simulate({ seed, exchanges: "carelessly", crashes: 0 })).lost);
  expect(lost.length).toBeGreaterThan(0);
});

test("the same seed runs the same", async () => {
  const options = { seed: 7, exchanges: "yes", crashes: CRASHES } as const;
  expect(await simulate(options)).toEqual(await simulate(options));
});
