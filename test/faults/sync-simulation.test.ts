/** The whole sync engine in memory, as many times as there is time for: `RAMET_FAULT_ROUNDS` says how many. */
import { expect, test } from "vitest";

import { simulate } from "../sync/simulation.ts";
import { randomOf, readPiece } from "./pieces.ts";

const { rounds, title } = readPiece("ROUNDS", 50_000);
const MOST_CRASHES = 0.03;
const MOST_SEED = 2 ** 31;

test(`no write is lost in ${rounds.length} runs, wherever it dies (${title})`, async () => {
  let [writes, crashes] = [0, 0];
  for (const round of rounds) {
    const random = randomOf(round);
    const options = {
      seed: Math.floor(random() * MOST_SEED),
      exchanges: random() < 0.7 ? "yes" : "no",
      crashes: random() < 0.5 ? 0 : random() * MOST_CRASHES,
    } as const;
    const { lost, faults, ...counts } = await simulate(options);
    expect({ ...options, lost, faults }).toEqual({ ...options, lost: [], faults: [] });
    writes += counts.writes;
    crashes += counts.crashes;
  }
  process.stderr.write(`${writes} writes, ${crashes} crashes\n`);
});
