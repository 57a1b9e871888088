import { PassThrough, Readable } from "node:stream";

import { expect, test } from "vitest";

import { captureContext } from "../fixtures/context.ts";
import type { CapturedContext } from "../fixtures/context.ts";
import type { Context } from "./context.ts";
import { confirmLoss, readAll, readSecret } from "./prompts.ts";

const LOSS = "The database of shop/agent will be deleted.";

/** A person at a terminal who types this, as it is typed. */
function typing(stream: Readable, changes: Partial<Context> = {}): CapturedContext {
  const context = captureContext("/nowhere");
  const stderr = { ...context.stderr, isTerminal: true, columns: 80 };
  return { ...context, ...changes, stderr, stdin: { isTerminal: true, open: () => stream } };
}

function keys(text: string): Readable {
  return Readable.from([Buffer.from(text)]);
}

test.each(["y\n", "Y\n", "yes\n", "YES\n", "  y  \n"])("%j goes on", async (answer) => {
  const context = typing(keys(answer));
  await confirmLoss(context, LOSS, false);
  expect(context.err().startsWith(`${LOSS}\n`)).toBe(true);
  expect(context.err()).toContain("Go on? [y/N] ");
});

test.each(["n\n", "\n", "yess\n", "no y\n", "ja\n"])("%j does not", async (answer) => {
  await expect(confirmLoss(typing(keys(answer)), LOSS, false)).rejects.toMatchObject({
    code: "declined",
  });
});

test("a terminal that is closed before the answer is a no", async () => {
  await expect(confirmLoss(typing(Readable.from([])), LOSS, false)).rejects.toMatchObject({
    code: "declined",
  });
});

test("Ctrl-C at the question stops, which is no answer", async () => {
  const stream = new PassThrough();
  const asked = confirmLoss(typing(stream), LOSS, false);
  stream.write("\u0003");
  await expect(asked).rejects.toMatchObject({ name: "AbortError" });
});

test("a caller that stops while the question stands is heard", async () => {
  const stop = new AbortController();
  const stream = new PassThrough();
  const asked = confirmLoss(typing(stream, { signal: stop.signal }), LOSS, false);
  stop.abort(new DOMException("Stopped.", "AbortError"));
  await expect(asked).rejects.toMatchObject({ name: "AbortError" });
});

test.each<[what: string, context: CapturedContext, isJson: boolean]>([
  ["--json", typing(keys("y\n")), true],
  ["no terminal to answer at", captureContext("/nowhere", { input: "y\n" }), false],
  [
    "no terminal to ask at",
    { ...typing(keys("y\n")), stderr: captureContext("/nowhere").stderr },
    false,
  ],
])("with %s nobody is asked, and the flag is named", async (_what, context, isJson) => {
  await expect(confirmLoss(context, LOSS, isJson)).rejects.toMatchObject({
    code: "confirmation_needed",
    message: expect.stringContaining(LOSS),
    remedy: expect.stringContaining("--force"),
  });
  expect(context.err()).toBe("");
});

test("a secret that is typed is asked for by its name and never shown", async () => {
  const context = typing(keys("hush hush\n"));
  expect(await readSecret(context, "STRIPE_KEY")).toBe("hush hush");
  expect(context.err()).toBe("STRIPE_KEY: \n");
});

test.each([
  ["", ""],
  ["\n", ""],
  ["a", "a"],
  ["a\n", "a"],
  ["a\r\n", "a"],
  ["a\n\n", "a\n"],
  ["-----BEGIN-----\nx\n-----END-----\n", "-----BEGIN-----\nx\n-----END-----"],
  [" é \t", " é \t"],
])("a secret from a pipe, %j, is %j", async (input, secret) => {
  expect(await readSecret(captureContext("/nowhere", { input }), "K")).toBe(secret);
});

test("a character that is cut in two by the pipe is whole again", async () => {
  const bytes = Buffer.from("schlüssel ✓");
  const stream = Readable.from([...bytes].map((byte) => Buffer.from([byte])));
  expect(await readAll(stream)).toBe("schlüssel ✓");
});

test("an endless input is given up, and no more of it read than allowed", async () => {
  let given = 0;
  const endless = new Readable({
    read() {
      given += 65_536;
      this.push(Buffer.alloc(65_536));
    },
  });
  await expect(readAll(endless)).rejects.toMatchObject({ code: "input_too_long" });
  expect(given).toBeLessThan(3 * 1024 * 1024);
});
