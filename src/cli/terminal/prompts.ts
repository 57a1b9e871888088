import { createInterface } from "node:readline/promises";
import type { Readable } from "node:stream";
import { Writable } from "node:stream";

import type { Context } from "./context.ts";
import { confirmationNeeded, declined, inputTooLong } from "./problems.ts";
import { wrap } from "./style.ts";

const MAX_INPUT_BYTES = 1024 * 1024;

/** Asks whether what would be lost may be. @throws `confirmation_needed` where nobody can be asked, `declined` */
export async function confirmLoss(context: Context, loss: string, isJson: boolean): Promise<void> {
  if (isJson || !context.stdin.isTerminal || !context.stderr.isTerminal)
    throw confirmationNeeded(loss);
  const { stderr } = context;
  stderr.write(`${wrap(loss, stderr.columns)}\n`);
  const answer = await ask(context, { question: "Go on? [y/N] ", isHidden: false });
  if (!/^y(es)?$/i.test(answer.trim())) throw declined();
}

/** All of standard input but one line break at its end; from a terminal one line, which is not shown. */
export async function readSecret(context: Context, name: string): Promise<string> {
  if (context.stdin.isTerminal) return ask(context, { question: `${name}: `, isHidden: true });
  return (await readAll(context.stdin.open())).replace(/\r?\n$/, "");
}

export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_INPUT_BYTES) throw inputTooLong(MAX_INPUT_BYTES);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function ask(
  { stdin, stderr, signal }: Context,
  { question, isHidden }: { question: string; isHidden: boolean },
): Promise<string> {
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isHidden) stderr.write(chunk.toString("utf8"));
      done();
    },
  });
  const lines = createInterface({ input: stdin.open(), output, terminal: true });
  // A terminal in raw mode gives Ctrl-C to the reader, not to the process.
  const stopped = new AbortController();
  lines.once("SIGINT", () => stopped.abort(new DOMException("Stopped.", "AbortError")));
  lines.once("close", () => stopped.abort(declined()));
  if (isHidden) stderr.write(question);
  try {
    const signals = [stopped.signal, ...(signal === undefined ? [] : [signal])];
    return await lines.question(isHidden ? "" : question, { signal: AbortSignal.any(signals) });
  } catch (error) {
    stopped.signal.throwIfAborted();
    throw error;
  } finally {
    stderr.write("\n");
    lines.close();
  }
}
