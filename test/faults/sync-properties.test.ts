/**
 * What holds of every plan and of the whole sync engine in memory, as many times as there is time for: `RAMET_FAULT_PLANS`
 * says how many plans of each property, `RAMET_FAULT_ROUNDS` how many runs of the engine. A night's worth without them.
 */
import { expect, test } from "vitest";

import { monotonicMs } from "../../src/base/clock.ts";
import { simulateMany } from "../sync/many-simulations.ts";
import { findFailure, PLANNER_PROPERTIES } from "../sync/planner-properties.ts";
import { simulate, type SimulationOptions } from "../sync/simulation.ts";
import { randomOf, readPiece } from "./pieces.ts";

const plans = readPiece("PLANS", 1_000_000);
const { rounds, title } = readPiece("ROUNDS", 5_000_000);
const MOST_CRASHES = 0.03;
const MOST_FAILURES = 0.02;
const MOST_SEED = 2 ** 31;
/** So many at least are made in a second, on however slow a machine. */
const LEAST_PER_SECOND = 50;
const TELL_EVERY = 100_000;

const counts = { runs: 0, writes: 0, crashes: 0, failures: 0 };

function tell(since: number): void {
  const perSecond = Math.round((counts.runs / (monotonicMs() - since)) * 1_000);
  process.stderr.write(`${JSON.stringify({ ...counts, perSecond })}\n`);
}

test.each(PLANNER_PROPERTIES.map((property) => [property.title, property] as const))(
  `%s, in ${plans.rounds.length} plans (${plans.title})`,
  (_, property) => {
    const how = { numRuns: plans.rounds.length, seed: plans.seed };
    expect(findFailure(property, how)).toBeUndefined();
  },
  limitFor(plans.rounds.length),
);

test(
  `no write is lost in ${rounds.length} runs of the engine, wherever it dies, and whatever call fails (${title})`,
  async () => {
    const since = monotonicMs();
    await simulateMany(rounds, optionsOf, ({ count, wrong, ...told }) => {
      expect(wrong).toEqual([]);
      const before = counts.runs;
      counts.runs += count;
      for (const name of ["writes", "crashes", "failures"] as const) counts[name] += told[name];
      if (Math.trunc(before / TELL_EVERY) < Math.trunc(counts.runs / TELL_EVERY)) tell(since);
    });
    tell(since);
  },
  limitFor(rounds.length),
);

test(`the same engine that keeps a copy and then overwrites loses writes (${title})`, async () => {
  let lost = 0;
  for (const round of rounds.slice(0, 1_000)) {
    const careless = { exchanges: "carelessly", crashes: 0, failures: 0 } as const;
    lost += (await simulate({ ...optionsOf(round), ...careless })).lost.length;
  }
  process.stderr.write(`${lost} writes lost, as is to be\n`);
  expect(lost).toBeGreaterThan(0);
});

function optionsOf(round: number): SimulationOptions {
  const random = randomOf(round);
  return {
    seed: Math.floor(random() * MOST_SEED),
    exchanges: random() < 0.7 ? "yes" : "no",
    crashes: random() < 0.5 ? 0 : random() * MOST_CRASHES,
    failures: random() < 0.5 ? 0 : random() * MOST_FAILURES,
  };
}

function limitFor(count: number): number {
  return 60_000 + (count / LEAST_PER_SECOND) * 1_000;
}
