import { expect, test } from "vitest";

import type { Style } from "../terminal/style.ts";
import { formatTimings } from "./timings-text.ts";

const style = (columns: number): Style => ({
  columns,
  now: 0,
  hasColors: false,
  paint: (_, text) => text,
});
const timings = {
  files: 50,
  database: 100,
  runtime: 100,
  total: 200,
  steps: [
    { name: "files", beganMs: 0, ms: 50 },
    { name: "database", beganMs: 0.4, ms: 100.25 },
    { name: "processes get ready", beganMs: 100, ms: 100 },
  ],
};

test("each step has its beginning, its length, and a bar that stands where it ran", () => {
  const lines = formatTimings(timings, style(200)).split("\n");
  expect(lines[0]?.trim().split(/ {2,}/)).toEqual(["step", "from ms", "took ms"]);
  const bars = lines.slice(1).map((line) => line.slice(41));
  expect(bars).toEqual(["━".repeat(15), "━".repeat(30), " ".repeat(30) + "━".repeat(30)]);
});

test.each([40, 60, 80, 200])("no line is longer than a terminal of %d columns", (columns) => {
  for (const line of formatTimings(timings, style(columns)).split("\n"))
    expect(line.length).toBeLessThanOrEqual(columns);
});

test("a narrow terminal gets the numbers without bars", () => {
  expect(formatTimings(timings, style(40))).not.toContain("━");
});
