import type { ServedTree } from "../../sync/sync.ts";

type Answers = {
  -readonly [Call in "look" | "answer" | "stage" | "apply"]?: ReturnType<ServedTree[Call]>;
};

/**
 * What a visitor asks one after another, and what changes something with each question. Whoever never heard an answer asks with
 * the same number again, and gets it, or waits for it with the first; the last one alone is kept.
 */
export class VisitTurns {
  readonly #tree: ServedTree;
  #turn: number | undefined;
  #answers: Answers = {};

  constructor(tree: ServedTree) {
    this.#tree = tree;
  }

  async look(
    turn: number | undefined,
    ...asked: Parameters<ServedTree["look"]>
  ): ReturnType<ServedTree["look"]> {
    return (this.#at(turn).look ??= this.#tree.look(...asked));
  }

  async answer(
    turn: number | undefined,
    ...asked: Parameters<ServedTree["answer"]>
  ): ReturnType<ServedTree["answer"]> {
    return (this.#at(turn).answer ??= this.#tree.answer(...asked));
  }

  async stage(
    turn: number | undefined,
    ...asked: Parameters<ServedTree["stage"]>
  ): ReturnType<ServedTree["stage"]> {
    return (this.#at(turn).stage ??= this.#tree.stage(...asked));
  }

  async apply(
    turn: number | undefined,
    ...asked: Parameters<ServedTree["apply"]>
  ): ReturnType<ServedTree["apply"]> {
    return (this.#at(turn).apply ??= this.#tree.apply(...asked));
  }

  /** Whether the plan of this turn has been asked for before. */
  isApplied(turn: number | undefined): boolean {
    return turn !== undefined && turn === this.#turn && this.#answers.apply !== undefined;
  }

  #at(turn: number | undefined): Answers {
    if (turn === undefined || turn !== this.#turn) this.#answers = {};
    this.#turn = turn;
    return this.#answers;
  }
}
