import { stripVTControlCharacters } from "node:util";

import { expect, test } from "vitest";

import type { EnvironmentView } from "../../protocol/schemas.ts";
import { formatAge, formatMs, styleFor, tameText, widthOf, wrap } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { formatEnvironment, formatEnvironments, maskPassword } from "./environment-text.ts";
import { describeFailure, formatProblem } from "./failure.ts";
import { formatTable } from "./table.ts";

const NOW = Date.parse("2026-01-02T00:00:00Z");

function styleOf(columns: number, hasColors: boolean): Style {
  const writer = { write: () => undefined, isTerminal: true, columns };
  return styleFor(writer, hasColors ? {} : { NO_COLOR: "1" }, NOW);
}

const ENVIRONMENT: EnvironmentView = {
  app: "shop",
  name: "agent-feature",
  state: "awake",
  parent: "development",
  url: "http://shop--agent-feature.localhost:7420",
  domainUrl: null,
  databaseUrl: "postgres://abcdefghijklmnop:secret@127.0.0.1:7421/shop",
  files: { kind: "linked", path: "/home/ada/agent-feature" },
  processes: [{ name: "web", state: "ready", port: 40123, pid: 77 }],
  isolation: null,
  limits: null,
  problems: [],
  ownBytes: 3_400_000,
  standbys: [],
  fronts: [],
  id: "abcdefghijklmnop",
  replacedUntil: null,
  createdAt: "2026-01-01T22:00:00Z",
  usedAt: "2026-01-01T23:57:00Z",
  sleepsAt: "2026-01-02T00:12:30Z",
};

test.each([
  [40, true],
  [40, false],
  [80, true],
  [80, false],
  [160, true],
  [160, false],
])(
  "a list of environments fits %i columns, colours %s, and keeps its URL whole",
  (columns, hasColors) => {
    const text = formatEnvironments([ENVIRONMENT, { ...ENVIRONMENT, name: "x" }], {
      here: null,
      style: styleOf(columns, hasColors),
    });
    const plain = stripVTControlCharacters(text);
    expect(plain === text).toBe(!hasColors);
    expect(plain).toContain("http://shop--agent-feature.localhost:7420");
    const wide = plain.split("\n").filter((line) => line.length > columns);
    // At 40 columns an URL of 41 characters stands on a line of its own, to be copied.
    expect(wide.every((line) => columns === 40 && line.includes("http://"))).toBe(true);
  },
);

test("optional columns go before a table turns into blocks", () => {
  const columns = [{ title: "NAME" }, { title: "URL" }, { title: "AGE", isOptional: true }];
  const rows = [["one", "http://one", "5 min"]];
  expect(formatTable(columns, rows, styleOf(80, false))).toBe(
    "NAME  URL         AGE\none   http://one  5 min",
  );
  expect(formatTable(columns, rows, styleOf(20, false))).toBe("NAME  URL\none   http://one");
  const narrow = formatTable(
    [...columns, { title: "FROM" }],
    [["one", "http://one", "", "development"]],
    styleOf(20, false),
  );
  expect(narrow).toBe("one\n  url   http://one\n  from  development");
});

test("without a terminal nothing is fitted, and nothing coloured", () => {
  const style = styleFor({ write: () => undefined, isTerminal: false, columns: 10 }, {}, NOW);
  const text = formatEnvironments([ENVIRONMENT], { here: null, style });
  expect(text).toBe(stripVTControlCharacters(text));
  expect(text.split("\n")).toHaveLength(2);
  expect(text).toContain("4 MB  2 h  development  3 min ago  in 12 min");
});

test("one environment is shown whole, but for its password", () => {
  const broken = {
    code: "setup_failed",
    message: "`npm ci` failed.\n  line 1\n  line 2",
    remedy: "Mend it.",
  };
  const text = formatEnvironment(
    { ...ENVIRONMENT, state: "broken", problems: [broken] },
    styleOf(80, false),
  );
  expect(text).toContain("✗ shop/agent-feature");
  expect(text).toContain("abcdefghijklmnop:…@127.0.0.1");
  expect(text).not.toContain("secret");
  expect(text).toContain("web  ready       port 40123, pid 77");
  expect(text).toContain("used      3 min ago, falls asleep in 12 min");
  expect(text).toContain("    line 2");
  expect(text).toContain("→ Mend it.");
});

test.each([40, 80, 160])("a problem is wrapped at %i columns, the mark standing out", (columns) => {
  const message =
    "This workspace is not bound to an environment of the app, and nothing else says which is meant.";
  const text = formatProblem(
    { code: "x", message, remedy: "Bind it with `ramet env use NAME`." },
    styleOf(columns, true),
  );
  const lines = stripVTControlCharacters(text).split("\n");
  expect(lines[0]).toMatch(/^✗ This/);
  expect(lines.every((line) => line.length <= columns && /^(✗ |→ | {2})/.test(line))).toBe(true);
  expect(lines.map((line) => line.slice(2)).join(" ")).toContain(message);
});

test("what a process prints keeps its colours and can do nothing else", () => {
  expect(tameText("\u001b[31mred\u001b[2J\u001b]0;title\u0007 x\r\u0008\u009b1A", true)).toBe(
    "\u001b[31mred x\u001b[0m",
  );
  expect(tameText("\u001b[31mred\tx", false)).toBe("red\tx");
});

test("a password is masked whatever it holds", () => {
  expect(maskPassword("postgres://u:p%40x@h/d")).toBe("postgres://u:…@h/d");
  expect(maskPassword("postgres://u@h/d")).toBe("postgres://u@h/d");
});

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1200, "1.2 s"],
  [61_000, "1 min 1 s"],
])("%i ms are written as %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

test.each([
  ["2026-01-01T23:59:30Z", "30 s"],
  ["2026-01-01T23:00:00Z", "1 h"],
  ["2025-12-30T00:00:00Z", "3 d"],
  ["2026-01-03T00:00:00Z", "0 s"],
])("%s is %s ago", (time, age) => {
  expect(formatAge(time, NOW)).toBe(age);
});

test("a word that is wider than a line stays whole", () => {
  expect(wrap("see https://example.com/long now", 10, "  ")).toBe(
    "see\n  https://example.com/long\n  now",
  );
});

test("what is thrown and no problem is told as a mistake of ours, with exit code 1", () => {
  expect(describeFailure(new Error("x is undefined"))).toMatchObject({
    exitCode: 1,
    problem: { code: "bug", message: expect.stringContaining("x is undefined") },
  });
  expect(describeFailure(new DOMException("Stopped.", "AbortError"))).toEqual({
    problem: null,
    exitCode: 130,
  });
});

test("a width counts what is seen", () => {
  expect(widthOf("\u001b[1m✓ ok\u001b[0m")).toBe(4);
});

test("where a URL does not fit beside the rest it goes below, whole, and each row keeps its line", () => {
  const text = formatEnvironments([ENVIRONMENT], { here: null, style: styleOf(60, false) });
  expect(text.split("\n")).toEqual([
    "  ENVIRONMENT    STATE  OWN   AGE  FROM         USED",
    "● agent-feature  awake  4 MB  2 h  development  3 min ago",
    "  http://shop--agent-feature.localhost:7420",
  ]);
  const narrow = formatEnvironments([ENVIRONMENT], { here: null, style: styleOf(24, false) });
  expect(narrow).toContain("http://shop--agent-feature.localhost:7420");
});
