import { PassThrough } from "node:stream";

import { expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { captureContext } from "../fixtures/context.ts";
import type { Context } from "./context.ts";
import { showScreen } from "./live-screen.ts";

const ESCAPE = String.fromCodePoint(27);
const ENTER = `${ESCAPE}[?1049h`;
const LEAVE = `${ESCAPE}[?1049l`;
const SHOW_CURSOR = `${ESCAPE}[?25h`;

type Stage = {
  readonly context: Context;
  /** Types, as a person does. */
  readonly keys: PassThrough;
  /** All that was written. */
  readonly text: () => string;
};

function open(changes: Partial<Context> = {}, rows = 24): Stage {
  const keys = new PassThrough();
  const written: string[] = [];
  const stdout = {
    write: (text: string) => void written.push(text),
    isTerminal: true,
    columns: 80,
    rows,
  };
  const stdin = { isTerminal: true, open: () => keys };
  const context = { ...captureContext("/nowhere"), stdout, stdin, ...changes };
  return { context, keys, text: () => written.join("") };
}

type Pictures = { readonly picture: () => Promise<string>; readonly count: () => number };

/** Counts, one picture after another. */
function counting(): Pictures {
  let count = 0;
  return {
    picture: async () => {
      count += 1;
      return `picture ${count}\nsecond line\nthird line`;
    },
    count: () => count,
  };
}

async function failing(): Promise<string> {
  throw new Error("The server is gone.");
}

async function untilDrawn(pictures: Pictures, least: number): Promise<void> {
  const drawn = await waitFor(() => (pictures.count() >= least ? true : undefined), {
    timeoutMs: 10_000,
  });
  expect(drawn).toBe(true);
}

test.each([
  ["q", "q"],
  ["Q", "Q"],
  ["Ctrl-C", "\u0003"],
  ["Escape", ESCAPE],
])("it is drawn anew in place until %s, and what stood there before comes back", async (_, key) => {
  const { context, keys, text } = open();
  const pictures = counting();
  const shown = showScreen(context, { everyMs: 1, picture: pictures.picture });
  await untilDrawn(pictures, 3);
  keys.write(key);
  await shown;
  const last = pictures.count();
  expect(text().startsWith(ENTER)).toBe(true);
  expect(text()).toContain("picture 2");
  expect(text().endsWith(`${LEAVE}${SHOW_CURSOR}`)).toBe(true);
  expect(pictures.count()).toBe(last);
});

test("any other key is nothing", async () => {
  const { context, keys } = open();
  const pictures = counting();
  const shown = showScreen(context, { everyMs: 1, picture: pictures.picture });
  keys.write("abc xyz\r\n");
  await untilDrawn(pictures, 3);
  keys.write("q");
  await shown;
  expect(pictures.count()).toBeGreaterThanOrEqual(3);
});

test("whoever stops the command from outside leaves the terminal as it was", async () => {
  const stop = new AbortController();
  const { context, text } = open({ signal: stop.signal });
  const pictures = counting();
  const shown = showScreen(context, { everyMs: 60_000, picture: pictures.picture });
  await untilDrawn(pictures, 1);
  stop.abort();
  await shown;
  expect(text().endsWith(`${LEAVE}${SHOW_CURSOR}`)).toBe(true);
});

test("a picture that cannot be had is told once the terminal is as it was", async () => {
  const { context, text } = open();
  const screen = { everyMs: 1, picture: failing };
  await expect(showScreen(context, screen)).rejects.toThrow("The server is gone.");
  expect(text().endsWith(`${LEAVE}${SHOW_CURSOR}`)).toBe(true);
});

test("no more lines are drawn than the terminal has, and the rest of each is cleared", async () => {
  const { context, keys, text } = open({}, 2);
  const pictures = counting();
  const shown = showScreen(context, { everyMs: 1, picture: pictures.picture });
  await untilDrawn(pictures, 1);
  keys.write("q");
  await shown;
  expect(text()).toContain(`picture 1${ESCAPE}[K\r\nsecond line${ESCAPE}[K`);
  expect(text()).not.toContain("third line");
});
