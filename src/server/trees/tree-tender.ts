import type { Readable } from "node:stream";

import { z } from "zod";

import { rest, untilAborted } from "../../base/clock.ts";
import { readJsonLines } from "../../base/json-lines.ts";
import { Problem } from "../../base/problem.ts";
import { endGroup } from "../../process/process.ts";
import type { TalkingProgram } from "../../process/process.ts";
import { CALLS } from "../../protocol/calls.ts";
import { problemSchema } from "../../protocol/schemas.ts";
import type { ServedTree, TreeMessage, TreeQuestion } from "../../sync/sync.ts";
import { filesUntended, visitUnknown } from "./problems.ts";

const GRACE_MS = 2_000;
/** A look at as many files as a tree may hold. */
const MOST_LINE_BYTES = 256 * 1024 * 1024;
const MOST_QUOTE_BYTES = 2_000;

/** Its user is the environment's, whose processes might speak in its place: what it says is parsed as what comes from afar. */
const answerSchema = z.object({
  id: z.number(),
  value: z.unknown().optional(),
  problem: problemSchema.optional(),
  bug: z.string().optional(),
});
const nothing = z.object({});

/** A program that works on one environment's files for all who visit them; what is to be done there only passes through us. */
export class TreeTender {
  /** Resolves when it has gone, whyever. */
  readonly ended: Promise<void>;
  readonly #program: TalkingProgram;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #count = 0;
  #hasAnswered = false;
  #isOver = false;
  #printed = "";

  constructor(program: TalkingProgram) {
    this.#program = program;
    program.stdin.on("error", () => {
      // It has gone: its output has ended, too.
    });
    program.stderr.on("data", (chunk) => {
      this.#printed = `${this.#printed}${String(chunk)}`.slice(-MOST_QUOTE_BYTES);
    });
    this.ended = this.#listen(program.stdout);
  }

  /** @throws `files_untended`, `sync_unreadable` */
  async begin(
    visit: string,
    where: Omit<Extract<TreeQuestion, { readonly call: "begin" }>, "call">,
  ): Promise<ServedTree> {
    await this.#ask(visit, { call: "begin", ...where }, nothing);
    return this.#toTree(visit);
  }

  /** Resolves once it has gone. */
  async close(): Promise<void> {
    this.#isOver = true;
    const { stdin, pid, exited } = this.#program;
    stdin.end();
    // It ends by itself, unless it hangs.
    const over = new AbortController();
    const waited = rest(GRACE_MS, over.signal).catch(() => undefined); // Its only other end is the signal's.
    await Promise.race([exited, waited]);
    over.abort();
    await endGroup(pid, { graceMs: GRACE_MS });
    await this.ended;
  }

  #toTree(visit: string): ServedTree {
    const ask = async <T>(question: TreeQuestion, schema: z.ZodType<T>): Promise<T> =>
      this.#ask(visit, question, schema);
    return {
      open: async () => ask({ call: "open" }, CALLS["tree.open"].output),
      look: async (scope) => ask({ call: "look", scope }, CALLS["tree.look"].output),
      answer: async (ignored) => ask({ call: "answer", ignored }, CALLS["tree.answer"].output),
      read: async (wants) => ask({ call: "read", wants }, CALLS["tree.read"].output),
      pieces: async (path) =>
        (await ask({ call: "pieces", path }, CALLS["tree.pieces"].output)).pieces,
      stage: async (batch) => void (await ask({ call: "stage", batch }, nothing)),
      apply: async (plan) => ask({ call: "apply", plan }, CALLS["tree.apply"].output),
      commit: async () => void (await ask({ call: "commit" }, nothing)),
      wait: async (seen, signal) => {
        const waited = ask({ call: "wait", seen }, CALLS["tree.wait"].output);
        waited.catch(() => undefined); // Whoever waited may have gone.
        await Promise.race([waited, untilAborted(signal)]);
        return signal.aborted ? seen : (await waited).seen;
      },
      close: () => {
        ask({ call: "end" }, nothing).catch(() => undefined); // It has gone, and all it held.
      },
    };
  }

  async #ask<T>(visit: string, question: TreeQuestion, schema: z.ZodType<T>): Promise<T> {
    if (this.#isOver) throw this.#gone();
    this.#count += 1;
    const message: TreeMessage = { id: this.#count, visit, question };
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(message.id, asked);
    this.#program.stdin.write(`${JSON.stringify(message)}\n`);
    return schema.parse(await asked.promise);
  }

  async #listen(output: Readable): Promise<void> {
    try {
      for await (const line of readJsonLines(output, MOST_LINE_BYTES)) this.#settle(line);
    } catch (error) {
      this.#printed ||= String(error);
    }
    this.#isOver = true;
    for (const asked of this.#asked.values()) asked.reject(this.#gone());
    this.#asked.clear();
  }

  #settle(line: unknown): void {
    const { id, value, problem, bug } = answerSchema.parse(line);
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    this.#hasAnswered = true;
    if (problem !== undefined) asked?.reject(new Problem(problem));
    else if (bug === undefined) asked?.resolve(value);
    else asked?.reject(new Error(bug));
  }

  #gone(): Problem {
    return this.#hasAnswered ? visitUnknown() : filesUntended(this.#printed.trim());
  }
}
