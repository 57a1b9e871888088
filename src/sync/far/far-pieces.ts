import { Problem } from "../../base/problem.ts";
import { joinStretches, type Piece, planPatch, type Stretch } from "../core/plan-patch.ts";
import type { Standing } from "../side/standing.ts";
import { cutPieces, LARGE_BYTES } from "./pieces.ts";
import type { Wire } from "./wire.ts";

/** What is known of the pieces of large files far away, as far as the other machine tells of any. */
export class FarPieces {
  readonly #wire: Wire;
  #isSpoken = true;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** null: it is to be transferred as a whole. @param here the same file as it is on this side */
  async find(path: string, here: Standing): Promise<readonly Piece[] | null> {
    if (!this.#isSpoken || here.size() < LARGE_BYTES) return null;
    try {
      return await this.#wire.pieces(path);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "call_unknown") throw error;
      // A server of before there were pieces.
      this.#isSpoken = false;
      return null;
    }
  }
}

/** How what this side holds is made of what lies there; null: nothing of it is there. */
export async function planOutgoing(
  here: Standing,
  there: readonly Piece[],
): Promise<readonly Stretch[] | null> {
  const wanted = (await cutPieces(here.read())) ?? [];
  const stretches = joinStretches(planPatch(wanted, there));
  return stretches.some(({ from }) => from !== null) ? stretches : null;
}
