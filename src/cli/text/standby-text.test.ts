import { expect, test } from "vitest";

import { ENVIRONMENT } from "../fixtures/answers.ts";
import type { Style } from "../terminal/style.ts";
import { formatEnvironment, formatEnvironments } from "./environment-text.ts";
import { formatStandby, formatStandbys } from "./standby-text.ts";

const STYLE: Style = {
  columns: Infinity,
  now: Date.parse("2026-01-02T00:00:00Z"),
  hasColors: false,
  paint: (_format, text) => text,
};
const STANDBY = {
  id: "bcdefghijklmnopq",
  state: "following",
  diskBytes: 1_030_000_000,
  memoryBytes: 17_400_000,
  walBytes: 0,
} as const;
const OPEN = { ...ENVIRONMENT, processes: [], problems: [] };

test("a standby is shown with what it costs", () => {
  expect(formatStandby(STANDBY)).toBe(
    "following: 1.0 GB of disk, 18 MB of memory, 0 kB of WAL kept",
  );
  expect(formatStandby({ ...STANDBY, state: "resting", memoryBytes: 0 })).toBe(
    "resting: 1.0 GB of disk, 0 kB of memory, 0 kB of WAL kept",
  );
});

test("one that is being made costs nothing that could be told", () => {
  expect(formatStandby({ ...STANDBY, state: "building" })).toBe("building");
  expect(formatStandbys([{ ...STANDBY, state: "building" }])).toBe("building");
});

test("a list says how many there are and how large, where there are any", () => {
  expect(formatStandbys([])).toBe("–");
  expect(formatStandbys([STANDBY])).toBe("1.0 GB");
  expect(formatStandbys([STANDBY, STANDBY])).toBe("2 × 1.0 GB");
  const options = { here: null, style: STYLE };
  const followed = { ...OPEN, standbys: [STANDBY] };
  expect(formatEnvironments([followed, OPEN], options)).toMatch(/STANDBY[^]*1\.0 GB[^]*–/);
  expect(formatEnvironments([OPEN], options)).not.toContain("STANDBY");
});

test("an environment's own page has a line for each of its standbys", () => {
  const shown = formatEnvironment({ ...OPEN, standbys: [STANDBY, STANDBY] }, STYLE);
  expect(shown.match(/^ +standby +following: 1\.0 GB of disk/gm)).toHaveLength(2);
  expect(formatEnvironment(OPEN, STYLE)).not.toContain("standby");
});
