import { createInterface } from "node:readline";
import { Writable } from "node:stream";

import type { Context } from "./context.ts";
import { wrap } from "./style.ts";

/** Whether somebody sits there to be asked. */
export function canAsk({ stdin, stderr }: Context, isJson: boolean): boolean {
  return !isJson && stdin.isTerminal && stderr.isTerminal;
}

/** Yes unless the answer is another; what is closed before it answers says no. */
export async function askYes(context: Context, question: string): Promise<boolean> {
  const answer = await askLine(context, `${question} [Y/n] `);
  return answer !== null && /^(?:y(?:es)?)?$/i.test(answer.trim());
}

/** One of the choices, by its number or its name; null for anything else. */
export async function askChoice(
  context: Context,
  text: string,
  choices: readonly string[],
): Promise<string | null> {
  const { stderr } = context;
  const lines = choices.map((choice, index) => `  ${index + 1}  ${choice}\n`);
  stderr.write(`${wrap(text, stderr.columns)}\n${lines.join("")}`);
  const answer = (await askLine(context, "Number or name: "))?.trim() ?? "";
  return choices[Number(answer) - 1] ?? choices.find((choice) => choice === answer) ?? null;
}

/** null: no line came. @throws AbortError when the person or the caller stops it */
async function askLine(context: Context, prompt: string): Promise<string | null> {
  const { stdin, stderr, signal } = context;
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      stderr.write(chunk.toString());
      done();
    },
  });
  const reader = createInterface({ input: stdin.open(), output, terminal: true, prompt });
  const stop = (): void => reject(new DOMException("Stopped.", "AbortError"));
  signal?.addEventListener("abort", stop, { once: true });
  reader
    .once("line", resolve)
    .once("close", () => resolve(null))
    .once("SIGINT", stop);
  reader.prompt();
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", stop);
    stderr.write("\n");
    reader.close();
  }
}
