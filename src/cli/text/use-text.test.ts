import { expect, test } from "vitest";

import type { EnvironmentUse } from "../../protocol/schemas.ts";
import { styleFor } from "../terminal/style.ts";
import { formatUses, sortUses } from "./use-text.ts";

const NOW = Date.parse("2026-01-02T00:00:00Z");
const AWAKE: EnvironmentUse = {
  id: "abcdefghijklmnop",
  app: "shop",
  name: "agent-feature",
  state: "awake",
  cpu: 0.42,
  memoryBytes: 120_400_000,
  processes: 7,
  requestsPerSecond: 12.4,
  databaseBytes: 8_300_000,
  connections: 3,
  pressure: null,
  usedAt: "2026-01-01T23:59:58Z",
};
const ASLEEP: EnvironmentUse = {
  ...AWAKE,
  name: "old",
  state: "asleep",
  cpu: 0,
  memoryBytes: 0,
  processes: 0,
  requestsPerSecond: 0,
  databaseBytes: null,
  connections: null,
  usedAt: "2026-01-01T20:00:00Z",
};
const FROZEN: EnvironmentUse = { ...AWAKE, name: "still", state: "frozen", cpu: 0 };

function format(columns: number): string {
  const writer = { write: () => undefined, isTerminal: true, columns };
  return formatUses([ASLEEP, FROZEN, AWAKE], styleFor(writer, { NO_COLOR: "1" }, NOW));
}

test("each environment is a line, what takes most above what rests, and their sum above all", () => {
  expect(format(120).split("\n")).toEqual([
    "1 asleep, 1 frozen, 1 awake: 42 % of a processor, 241 MB of memory",
    "  ENVIRONMENT    STATE   CPU   MEMORY  REQ/S  USED     PROCESSES  DATABASE  CONNECTIONS",
    "● agent-feature  awake   42 %  121 MB  12     2 s ago  7          9 MB      3",
    "◍ still          frozen  –     121 MB  12     2 s ago  7          9 MB      3",
    "○ old            asleep  –     –       –      4 h ago  –          –         –",
  ]);
});

test("for what processes wait is told where the machine knows it", () => {
  const writer = { write: () => undefined, isTerminal: true, columns: 200 };
  const busy: EnvironmentUse = { ...AWAKE, pressure: { cpu: 0.31, memory: 0, io: 0.02 } };
  const text = formatUses([busy, ASLEEP], styleFor(writer, { NO_COLOR: "1" }, NOW));
  expect(text).toMatch(/CONNECTIONS +WAITS\n.*3 +31 % cpu\n.*– +–$/);
});

test.each([40, 60, 80])("no line is wider than a terminal of %i columns", (columns) => {
  const lines = format(columns).split("\n");
  expect(lines.filter((line) => line.length > columns)).toEqual([]);
  expect(lines.join("\n")).toContain("agent-feature");
});

test("what is broken stands above all, and what was used last above others that do as much", () => {
  const broken: EnvironmentUse = { ...ASLEEP, name: "hog", state: "broken" };
  const earlier: EnvironmentUse = { ...AWAKE, name: "earlier", usedAt: "2026-01-01T00:00:00Z" };
  const names = sortUses([ASLEEP, earlier, AWAKE, broken]).map(({ name }) => name);
  expect(names).toEqual(["hog", "agent-feature", "earlier", "old"]);
});
