import { expect, test } from "vitest";

import { CALLS } from "./calls.ts";
import { messageSchema } from "./messages.ts";
import { environmentSchema } from "./schemas.ts";

const line = {
  time: "2026-01-01T00:00:00.000Z",
  process: "web",
  stream: "stdout",
  level: "info",
  message: "",
  fields: {},
  text: "",
};

test.each([
  { progress: { part: "database", state: "done", ms: 12, detail: "reflink" } },
  { line },
  { line: { ...line, text: "\u0000 \u2028 ✓" } },
  { result: null },
  { result: [] },
  { problem: { code: "a", message: "b", remedy: "c" } },
  { bug: "" },
])("%j is a message, also after its way as a line of text", (message) => {
  const text = JSON.stringify(message);
  expect(text).not.toContain("\n");
  expect(messageSchema.parse(JSON.parse(text))).toEqual(message);
});

test.each([
  {},
  [],
  null,
  "result",
  { problem: { code: "a", message: "b" } },
  { problem: "it failed" },
  { line: { ...line, stream: "stdin" } },
  { bug: 7 },
])("%j is none", (value) => {
  expect(messageSchema.safeParse(value).success).toBe(false);
});

test("every call has a name that can stand in a path, and takes nothing it does not know", () => {
  for (const [name, { input }] of Object.entries(CALLS)) {
    expect(name).toMatch(/^[a-z]+(\.[a-z]+)?$/);
    expect(input.safeParse([]).success).toBe(false);
    expect(input.safeParse(null).success).toBe(false);
    const parsed = input.safeParse({ __unknown: 1 });
    expect(JSON.stringify(parsed.data ?? {})).not.toContain("__unknown");
  }
});

test("an environment in a state that this version does not know is refused, rather than shown wrong", () => {
  expect(environmentSchema.shape.state.safeParse("hibernating").success).toBe(false);
});
