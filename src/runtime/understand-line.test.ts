import fc from "fast-check";
import { expect, test } from "vitest";

import { understandLine } from "./understand-line.ts";

const KEPT = { time: "2026-01-01T00:00:00.000Z", process: "web", stream: "stdout" } as const;

test.each([
  ["pino", { level: 50, time: 1, msg: "boom", err: "x" }, "error", "boom", { time: 1, err: "x" }],
  ["winston", { level: "warn", message: "slow" }, "warn", "slow", {}],
  ["zap", { level: "dpanic", ts: 1.5, msg: "no" }, "fatal", "no", { ts: 1.5 }],
  ["structlog", { event: "paid", level: "info", id: 7 }, "info", "paid", { id: 7 }],
  ["Google Cloud", { severity: "NOTICE", message: "hi" }, "info", "hi", {}],
  ["ECS", { "log.level": "debug", message: "hi" }, "debug", "hi", {}],
  ["no level", { msg: "hi" }, "info", "hi", {}],
  ["a level of its own", { level: "loud", msg: "hi" }, "info", "hi", { level: "loud" }],
  ["no message", { level: "error", code: 3 }, "error", "", { code: 3 }],
] as const)("a line of JSON as %s writes it is understood", (_, line, ...understood) => {
  const [level, message, fields] = understood;
  const text = JSON.stringify(line);
  expect(understandLine({ ...KEPT, text })).toEqual({ ...KEPT, text, level, message, fields });
});

test.each([
  ["stdout", "hello", "info"],
  ["stderr", "TypeError: x is not a function", "error"],
  ["stderr", "WARNING: This is a development server.", "warn"],
  ["stderr", "INFO:     Uvicorn running on http://127.0.0.1:3000", "info"],
  ["stderr", "2026-11-29T10:00:00.123Z DEBUG sqlx: select 1", "debug"],
  ["stdout", "[2026-11-29 10:00:00 +0000] [7] [error] worker failed", "error"],
  ["stdout", "\u001b[33mwarn\u001b[39m: slow", "warn"],
  ["stdout", "Error: nothing listens", "error"],
  ["stdout", "error handling is easy", "info"],
  ["stdout", "Information about errors", "info"],
  ["stdout", "{ not json", "info"],
  ["stdout", "[1,2]", "info"],
] as const)("on %s, %j is %s", (stream, text, level) => {
  const understood = understandLine({ ...KEPT, stream, text });
  expect(understood).toEqual({ ...KEPT, stream, text, level, message: text, fields: {} });
});

test("what Ramet says of itself is as serious as it was written down", () => {
  const kept = { ...KEPT, stream: "ramet", text: "exited with code 1", level: "error" } as const;
  expect(understandLine(kept)).toMatchObject({ level: "error" });
});

test("no line is too strange to be understood", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
      const understood = understandLine({ ...KEPT, text });
      expect(understood).toMatchObject({ ...KEPT, text });
    }),
    { numRuns: 50 },
  );
});
