import { expect, test } from "vitest";

import { SeenLines } from "./seen-lines.ts";

const LINES = ["a1", "b1", "c2", "d2", "e3"].map((text) => ({
  time: `2026-01-01T00:00:0${text.slice(1)}.000Z`,
  process: "web",
  stream: "stdout" as const,
  level: "info" as const,
  message: text,
  fields: {},
  text,
}));

test.each([0, 1, 2, 3, 4, 5])(
  "after %d lines all are read again, and each is shown once",
  (count) => {
    const seen = new SeenLines();
    const first = LINES.slice(0, count).filter((line) => seen.isNew(line));
    seen.readAgain();
    const since = seen.since ?? "";
    const again = LINES.filter(({ time }) => time >= since).filter((line) => seen.isNew(line));
    expect([...first, ...again].map(({ text }) => text)).toEqual(LINES.map(({ text }) => text));
  },
);

test("lines of one time that come while nothing was lost are all shown", () => {
  const seen = new SeenLines();
  expect(LINES.filter((line) => seen.isNew(line))).toHaveLength(5);
  expect(seen.since).toBe("2026-01-01T00:00:03.000Z");
});
