/** A tree on another machine, as far as a workspace can tell: all that passes is text, and any message may be lost. */
import { Problem } from "../../src/base/problem.ts";
import { openServedTree } from "../../src/sync/sync.ts";
import type { FarSides, ServedTree, Sides, Wire } from "../../src/sync/sync.ts";

export class OtherMachine {
  /** What passed, by its calls' names; an answer's has a `!` behind it. */
  readonly messages: string[] = [];
  /** How long all of them were together. */
  bytes = 0;
  /** Whether a message passes; all do until it is said. */
  mayPass: (message: string) => boolean = () => true;
  readonly #sides: Sides;
  readonly #open: ServedTree[] = [];

  constructor(sides: Sides) {
    this.#sides = sides;
  }

  get sides(): FarSides {
    return {
      local: this.#sides.local,
      id: "abcdefghijklmnop",
      connect: (pair) => this.#connect(pair),
    };
  }

  /** The wire is whole again, and nothing has passed yet. @param passes after so many messages none passes any more */
  mend(passes = Number.POSITIVE_INFINITY): void {
    this.messages.length = 0;
    this.bytes = 0;
    this.mayPass = () => this.messages.length < passes;
  }

  close(): void {
    for (const tree of this.#open) tree.close();
  }

  #connect(pair: string): Wire {
    const tree = openServedTree(this.#sides, pair);
    this.#open.push(tree);
    return {
      open: async () => this.#call("open", [], async () => tree.open()),
      look: async (...asked) => this.#call("look", asked, async () => tree.look(...asked)),
      answer: async (...asked) => this.#call("answer", asked, async () => tree.answer(...asked)),
      read: async (...asked) => this.#call("read", asked, async () => tree.read(...asked)),
      pieces: async (...asked) => this.#call("pieces", asked, async () => tree.pieces(...asked)),
      stage: async (...asked) => this.#call("stage", asked, async () => tree.stage(...asked)),
      apply: async (plan) =>
        this.#call("apply", [plan], async () => tree.apply(structuredClone(plan))),
      commit: async () => this.#call("commit", [], async () => tree.commit()),
      wait: async (seen, signal) => {
        this.#requirePass("wait");
        return tree.wait(seen, signal);
      },
      close: async () => this.#call("close", [], async () => tree.close()),
    };
  }

  async #call<T>(name: string, asked: readonly unknown[], work: () => Promise<T>): Promise<T> {
    this.#pass(name);
    this.bytes += JSON.stringify(asked).length;
    const answer = structuredClone(await work());
    this.bytes += JSON.stringify(answer ?? null).length;
    this.#pass(`${name}!`);
    return answer;
  }

  #pass(message: string): void {
    this.#requirePass(message);
    this.messages.push(message);
  }

  #requirePass(message: string): void {
    if (!this.mayPass(message))
      throw new Problem({ code: "connection_lost", message: "Lost.", remedy: "Again." });
  }
}

/** What came of it: the problem's code, or "done". */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}
