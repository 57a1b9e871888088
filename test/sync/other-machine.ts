/** A tree on another machine, as far as a workspace can tell: all that passes is text, and any message may be lost. */
import { Problem } from "../../src/base/problem.ts";
import { openServedTree } from "../../src/sync/sync.ts";
import type { FarSides, ServedTree, Sides, Wire } from "../../src/sync/sync.ts";

export class OtherMachine {
  /** What passed, by its calls' names; an answer's has a `!` behind it. */
  readonly messages: string[] = [];
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
    this.mayPass = () => this.messages.length < passes;
  }

  close(): void {
    for (const tree of this.#open) tree.close();
  }

  #connect(pair: string): Wire {
    const tree = openServedTree(this.#sides, pair);
    this.#open.push(tree);
    return {
      open: async () => this.#call("open", async () => tree.open()),
      look: async (scope) => this.#call("look", async () => tree.look(scope)),
      answer: async (ignored) => this.#call("answer", async () => tree.answer(ignored)),
      read: async (wants) => this.#call("read", async () => tree.read(wants)),
      stage: async (batch) => this.#call("stage", async () => tree.stage(batch)),
      apply: async (plan) => this.#call("apply", async () => tree.apply(structuredClone(plan))),
      commit: async () => this.#call("commit", async () => tree.commit()),
      wait: async (seen, signal) => tree.wait(seen, signal),
      close: async () => this.#call("close", async () => tree.close()),
    };
  }

  async #call<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#pass(name);
    const answer = structuredClone(await work());
    this.#pass(`${name}!`);
    return answer;
  }

  #pass(message: string): void {
    if (!this.mayPass(message))
      throw new Problem({ code: "connection_lost", message: "Lost.", remedy: "Again." });
    this.messages.push(message);
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
