import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Writable } from "node:stream";

import { pause } from "../../base/clock.ts";
import type { Context } from "./context.ts";
import { HIDE_CURSOR, SHOW_CURSOR } from "./cursor.ts";

const ESCAPE = String.fromCodePoint(27);
/** A screen of its own: what stood there before comes back. */
const ENTER = `${ESCAPE}[?1049h${HIDE_CURSOR}`;
const LEAVE = `${ESCAPE}[?1049l${SHOW_CURSOR}`;
const TO_TOP = `${ESCAPE}[H`;
const CLEAR_LINE = `${ESCAPE}[K`;
const CLEAR_BELOW = `${ESCAPE}[J`;

export type Screen = {
  readonly everyMs: number;
  /** Called for each picture; of its lines as many are shown as the terminal has. */
  readonly picture: () => Promise<string>;
};

/** Draws again and again in place, until the person leaves with q, Escape or Ctrl-C. */
export async function showScreen(context: Context, screen: Screen): Promise<void> {
  const { stdout, stdin, signal } = context;
  const keys = stdin.isTerminal ? listenForLeave(stdin.open()) : undefined;
  const stops = [keys?.left, signal].filter((stop) => stop !== undefined);
  const left = AbortSignal.any(stops);
  stdout.write(ENTER);
  try {
    await drawUntil(left, context, screen);
  } finally {
    keys?.close();
    stdout.write(LEAVE);
  }
}

async function drawUntil(left: AbortSignal, { stdout }: Context, screen: Screen): Promise<void> {
  while (!left.aborted) {
    const lines = (await screen.picture()).split("\n").slice(0, stdout.rows);
    if (left.aborted) return;
    const text = lines.map((line) => `${line}${CLEAR_LINE}`).join("\r\n");
    stdout.write(`${TO_TOP}${text}${CLEAR_BELOW}`);
    await pause(screen.everyMs, left);
  }
}

/** A terminal in raw mode gives Ctrl-C to the reader, not to the process. */
function listenForLeave(input: Readable): { readonly left: AbortSignal; close(): void } {
  const leave = new AbortController();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: nowhere, terminal: true });
  const onKey = (_text: unknown, key: { readonly name?: string }): void => {
    if (key.name === "q" || key.name === "escape") leave.abort();
  };
  input.on("keypress", onKey);
  reader.once("SIGINT", () => leave.abort()).once("close", () => leave.abort());
  return {
    left: leave.signal,
    close: () => {
      input.off("keypress", onKey);
      reader.close();
    },
  };
}
