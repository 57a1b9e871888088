import { expect, test } from "vitest";

import { styleFor } from "../terminal/style.ts";
import { LogText } from "./log-text.ts";

const ESCAPE = "\u001b";
const PLAIN = styleFor({ write: () => undefined, isTerminal: false, columns: Infinity }, {}, 0);
const LINE = {
  time: "2026-01-01T10:11:12Z",
  process: "web",
  stream: "stdout",
  level: "warn",
  message: `slow${ESCAPE}[2J`,
  fields: { time: 1, pid: 7, ms: 812, path: "/a", note: `two words${ESCAPE}` },
  text: "{}",
} as const;

test("a line of JSON is shown as level, message and what else it holds, none of which reaches the terminal's controls", () => {
  const text = new LogText(PLAIN, { names: [], hasTimes: false });
  expect(text.format(LINE)).toBe('web │ WARN  slow ms=812 path=/a note="two words\\u001b"');
  expect(text.format({ ...LINE, message: "", fields: {} })).toBe("web │ WARN ");
});

test("a time of another day says which", () => {
  const text = new LogText(PLAIN, { names: [], hasTimes: true });
  expect(text.format(LINE)).toMatch(/^Jan 01 \d\d:\d\d:12 web/);
  const today = new LogText(
    { ...PLAIN, now: Date.parse(LINE.time) },
    { names: [], hasTimes: true },
  );
  expect(today.format(LINE)).toMatch(/^\d\d:\d\d:12 web/);
});
