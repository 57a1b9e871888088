import { expect, test } from "vitest";

import type { ProcessManifest } from "../../environment/manifest.ts";
import { parseRametFile } from "./ramet-file.ts";
import { parseSleep, toSleepMs } from "./sleep.ts";

const WEB: ProcessManifest = {
  command: "x",
  port: true,
  ownPort: null,
  ready: { kind: "none" },
  folder: ".",
  reloads: true,
};
const JOBS: ProcessManifest = { ...WEB, port: false };

test.each([
  ["1s", 1000],
  ["90s", 90_000],
  ["15m", 900_000],
  ["2 h", 7_200_000],
])("%j is so many milliseconds", (text, ms) => {
  expect(parseSleep(text)).toBe(ms);
});

test.each([
  "",
  "15",
  "m",
  "0s",
  "-5m",
  "1.5h",
  "15 minutes",
  "500ms",
  "9999999999s",
  "1h30m",
  "15m\n5m",
])("%j is no duration, and the whole file is refused with what one looks like", (text) => {
  expect(parseSleep(text)).toBeUndefined();
  expect(() => parseRametFile({ sleep: text })).toThrowError(
    expect.objectContaining({
      code: "manifest_invalid",
      message: expect.stringContaining("sleep: it must be false or a duration such as 90s"),
    }),
  );
});

test.each([true, 15, null])("%j says nothing of sleep", (value) => {
  expect(() => parseRametFile({ sleep: value })).toThrowError(/sleep: it must be false or/);
});

test("false is never; unsaid, it is a quarter of an hour for whatever can be woken again", () => {
  expect(toSleepMs(false, { web: WEB })).toBeNull();
  expect(toSleepMs("90s", { jobs: JOBS })).toBe(90_000);
  expect(toSleepMs(undefined, { web: WEB, jobs: JOBS })).toBe(900_000);
  expect(toSleepMs(undefined, {})).toBe(900_000);
  // Nobody could wake a bot by asking it for a page.
  expect(toSleepMs(undefined, { jobs: JOBS })).toBeNull();
});
