import { expect, test } from "vitest";

import { formatBytes } from "./bytes.ts";
import { parseDuration, parseSize } from "./quantities.ts";

test.each([
  ["500ms", 500],
  ["90s", 90_000],
  ["15m", 900_000],
  ["2 h", 7_200_000],
  ["1d", 86_400_000],
  ["0s", 0],
])("%s is a duration", (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each([
  ["512K", 512_000],
  ["100M", 100_000_000],
  ["2g", 2e9],
  ["1.5 GB", 1.5e9],
  ["1TB", 1e12],
])("%s is a size", (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each(["", "15", "m", "-1s", "1.5h", "1e3s", " 1s", "1s ", "9999999999s", "1w", "1ss"])(
  "%j is no duration",
  (text) => expect(parseDuration(text)).toBeUndefined(),
);

test.each(["", "15", "M", "-1M", "1.5", "1.G", "1GiB", "1 B", "1MM", "9999999999K", "1 P"])(
  "%j is no size",
  (text) => expect(parseSize(text)).toBeUndefined(),
);

test.each([
  [0, "0 kB"],
  [1, "1 kB"],
  [999_500, "1000 kB"],
  [3_400_000, "4 MB"],
  [1_550_000_000, "1.6 GB"],
])("%i bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
