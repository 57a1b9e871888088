import type { Readable, Writable } from "node:stream";

import { rest } from "../../base/clock.ts";
import { readJsonLines } from "../../base/json-lines.ts";
import { messageOf, Problem } from "../../base/problem.ts";
import type { Plan } from "../core/plan.ts";
import { wireBroken } from "../disk/problems.ts";
import { openServed, type ServedTree } from "./served-tree.ts";
import {
  messageSchema,
  type TreeMessage,
  type TreeQuestion,
  type WiredPlan,
} from "./tree-questions.ts";

export type Streams = { readonly input: Readable; readonly output: Writable };

/** Longer than whoever visits is silent; a visitor who was lost is not waited for. */
const IDLE_MS = 600_000;
/** A plan of 4,000 long paths is a tenth of it. */
const MOST_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Serves trees to whoever is at the other end of the streams, until that goes: a server, which leaves this program alone with
 * an environment's files, as its user and in a sandbox where there is one. Resolves with the exit code.
 */
export async function tendTrees({ input, output }: Streams): Promise<number> {
  const tender = new Tender(output);
  const lines = readJsonLines(input, MOST_LINE_BYTES);
  output.on("error", () => {
    // Whoever asked has gone, and the end of the input says so.
  });
  for (;;) {
    const line = await within(IDLE_MS, lines.next());
    if (line === undefined || line.done === true) break;
    void tender.hear(messageSchema.parse(line.value));
  }
  tender.close();
  return 0;
}

class Tender {
  readonly #output: Writable;
  readonly #trees = new Map<string, ServedTree>();

  constructor(output: Writable) {
    this.#output = output;
  }

  async hear({ id, visit, question }: TreeMessage): Promise<void> {
    try {
      this.#say({ id, value: (await this.#answer(visit, question)) ?? {} });
    } catch (error) {
      this.#say(
        error instanceof Problem
          ? { id, problem: error.toFields() }
          : { id, bug: error instanceof Error ? (error.stack ?? error.message) : messageOf(error) },
      );
    }
  }

  close(): void {
    for (const visit of this.#trees.keys()) this.#end(visit);
  }

  async #answer(visit: string, question: TreeQuestion): Promise<unknown> {
    if (question.call === "begin") return this.#begin(visit, question);
    if (question.call === "end") return this.#end(visit);
    const served = this.#trees.get(visit);
    if (served === undefined) throw wireBroken("a visit was never begun");
    return ask(served, question);
  }

  #begin(
    visit: string,
    { tree, home, pair }: Extract<TreeQuestion, { readonly call: "begin" }>,
  ): void {
    this.#end(visit);
    this.#trees.set(visit, openServed({ remote: tree, home }, pair));
  }

  #end(visit: string): void {
    this.#trees.get(visit)?.close();
    this.#trees.delete(visit);
  }

  #say(answer: unknown): void {
    this.#output.write(`${JSON.stringify(answer)}\n`);
  }
}

type Asked = Exclude<TreeQuestion, { readonly call: "begin" | "end" }>;

async function ask(tree: ServedTree, question: Asked): Promise<unknown> {
  switch (question.call) {
    case "open":
      return tree.open();
    case "look":
      return tree.look(question.scope);
    case "answer":
      return tree.answer(question.ignored);
    case "read":
      return tree.read(question.wants);
    case "pieces":
      return { pieces: await tree.pieces(question.path) };
    case "stage":
      return tree.stage(question.batch);
    case "apply":
      return tree.apply(toPlan(question.plan));
    case "commit":
      return tree.commit();
    case "wait":
      break;
  }
  // It ends by itself after a while.
  return { seen: await tree.wait(question.seen, new AbortController().signal) };
}

function toPlan({ removals, puts }: WiredPlan): Plan {
  return { removals, puts: puts.map(({ expected, ...put }) => ({ ...put, expected })) };
}

/** undefined where it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const silence = rest(ms, over.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([work, silence]);
  } finally {
    over.abort();
  }
}
