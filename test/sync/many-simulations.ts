/** Runs of the whole engine on all of this machine's processors. */
import { availableParallelism } from "node:os";
import path from "node:path";

import { forEachParallel } from "../../src/base/for-each-parallel.ts";
import { messageOf } from "../../src/base/problem.ts";
import { type Answer, answerWith, ThreadPool } from "../../src/base/thread-pool.ts";
import { type Outcome, simulate, type SimulationOptions } from "./simulation.ts";

export type Runs = {
  readonly count: number;
  /** Of all of them together. */
  readonly writes: number;
  readonly crashes: number;
  readonly failures: number;
  /** Runs in which something was lost, or ended otherwise than it is to. */
  readonly wrong: readonly (SimulationOptions & Pick<Outcome, "lost" | "faults">)[];
};

/** Of a thread at a time: a second's. */
const SLICE = 500;
const THREADS = availableParallelism();

/** Runs so many, and tells what came of each slice of them. No more are begun once something was wrong. */
export async function simulateMany(
  rounds: readonly number[],
  optionsOf: (round: number) => SimulationOptions,
  onRuns: (runs: Runs) => void,
): Promise<void> {
  const pool = new ThreadPool<readonly SimulationOptions[], Runs>({
    program: path.join(import.meta.dirname, "../programs/simulation-worker.js"),
    most: THREADS,
  });
  const starts = Array.from({ length: Math.ceil(rounds.length / SLICE) }, (_, at) => at * SLICE);
  await forEachParallel(starts, THREADS, async (start) => {
    onRuns(await pool.run(rounds.slice(start, start + SLICE).map(optionsOf)));
  });
}

export function answerRuns(all: readonly SimulationOptions[]): Promise<Answer<Runs>> {
  return answerWith(async () => {
    const told = { writes: 0, crashes: 0, failures: 0 };
    const wrong: Runs["wrong"][number][] = [];
    for (const options of all) {
      const { lost, faults, ...counts } = await simulateNamed(options);
      for (const name of ["writes", "crashes", "failures"] as const) told[name] += counts[name];
      if (lost.length + faults.length > 0) wrong.push({ ...options, lost, faults });
    }
    return { count: all.length, ...told, wrong };
  });
}

async function simulateNamed(options: SimulationOptions): Promise<Outcome> {
  try {
    return await simulate(options);
  } catch (error) {
    throw new Error(`${JSON.stringify(options)}: ${messageOf(error)}`, { cause: error });
  }
}
