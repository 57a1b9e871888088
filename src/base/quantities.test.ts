import { expect, test } from "vitest";

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
  ["512K", 512 * 1024],
  ["100M", 100 * 1024 * 1024],
  ["2g", 2 * 1024 ** 3],
  ["2 GB", 2 * 1024 ** 3],
  ["1TiB", 1024 ** 4],
])("%s is a size", (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each(["", "15", "m", "-1s", "1.5h", "1e3s", " 1s", "1s ", "9999999999s", "1w", "1ss"])(
  "%j is no duration",
  (text) => expect(parseDuration(text)).toBeUndefined(),
);

test.each(["", "15", "M", "-1M", "1.5G", "1 B", "1MM", "9999999999K", "1 P"])(
  "%j is no size",
  (text) => expect(parseSize(text)).toBeUndefined(),
);
