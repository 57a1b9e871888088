import { expect, test } from "vitest";

import { thrownBy } from "../fixtures/thrown.ts";
import { parseBytes, parseCount, parseSince } from "./numbers.ts";

test.each([
  ["500M", 500_170_752],
  ["50G", 50_000_297_984],
  ["50g", 50_000_297_984],
  ["50GB", 50_000_297_984],
  ["1.5T", 1_500_000_550_912],
  ["0.001M", 2 ** 20],
])("%s is %d bytes: as many as asked for, rounded up to whole mebibytes", (text, bytes) => {
  expect(parseBytes("--size", text)).toBe(bytes);
  expect(bytes % 2 ** 20).toBe(0);
});

test.each(["", "50", "G", "-1G", "0G", "50K", "1e3G", "50GiB", "١G", "9".repeat(30) + "G"])(
  "%j is no size",
  (text) => {
    expect(() => parseBytes("--size", text)).toThrow(
      expect.objectContaining({ code: "flag_invalid", remedy: expect.stringContaining("50G") }),
    );
  },
);

test.each(["", "-1", "1.5", "11", "ten"])("%j is no count up to 10", (text) => {
  expect(() => parseCount("--last", text, 10)).toThrow(
    expect.objectContaining({ code: "flag_invalid" }),
  );
});

test("a count is a whole number up to the most", () => {
  expect([0, 7, 10].map((count) => parseCount("--last", String(count), 10))).toEqual([0, 7, 10]);
});

const NOON = Date.parse("2026-11-29T12:00:00Z");

test.each([
  ["90s", "2026-11-29T11:58:30.000Z"],
  ["1d", "2026-11-28T12:00:00.000Z"],
  ["2026-11-01T00:00:00Z", "2026-11-01T00:00:00.000Z"],
])("--since %s is a time", (text, time) => {
  expect(parseSince("--since", text, NOON)).toBe(time);
});

test.each(["", "yesterday", "-1h", "2026-13-40", "999999999d"])(
  "--since %j is a problem",
  (text) => {
    const thrown = thrownBy(() => parseSince("--since", text, NOON));
    expect(thrown).toMatchObject({ code: "flag_invalid" });
  },
);
