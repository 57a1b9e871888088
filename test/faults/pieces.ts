/** A campaign in pieces: which of its rounds are run, and with which random numbers. */
import { randomInt } from "node:crypto";

import { createRandom } from "../random.ts";

/** The same number makes the same choices, but never the same moments: those are the machine's. */
const SEED = Number(process.env["RAMET_FAULT_SEED"] ?? randomInt(2 ** 31));
const FIRST = Number(process.env["RAMET_FAULT_FIRST"] ?? 0);

export type Piece = {
  /** Each with its own number in the whole campaign. */
  readonly rounds: readonly number[];
  /** Of the piece as a whole. */
  readonly seed: number;
  /** For a test's name: what is to be set to run the same again. */
  readonly title: string;
};

/** `RAMET_FAULT_<what>` says how many rounds; without it, all that the whole has from `RAMET_FAULT_FIRST` on. */
export function readPiece(what: "FORKS" | "PLANS" | "PROMOTIONS" | "ROUNDS", whole: number): Piece {
  const count = Number(process.env[`RAMET_FAULT_${what}`] ?? Math.max(1, whole - FIRST));
  const rounds = Array.from({ length: count }, (_, index) => FIRST + index);
  const from = FIRST === 0 ? "" : `, first ${FIRST}`;
  return { rounds, seed: SEED + FIRST, title: `seed ${SEED}${from}` };
}

/** From 0 to below 1: a round's own, the same in whichever piece it is run. */
export function randomOf(round: number): () => number {
  return createRandom(SEED + round);
}
