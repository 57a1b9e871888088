import { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";

import fc from "fast-check";
import { expect, test } from "vitest";

import type { LogLine } from "../../environment/environment.ts";
import { readLines } from "../connection/lines.ts";
import { CREATED, ENVIRONMENT } from "../fixtures/answers.ts";
import { thrownBy } from "../fixtures/thrown.ts";
import { parseCount } from "../grammar/numbers.ts";
import { cutTo, formatAge, formatMs, padTo, tameText, widthOf, wrap } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { formatEnvironment, formatEnvironments, formatReady } from "./environment-text.ts";
import { describeFailure } from "./failure.ts";
import { LogText } from "./log-text.ts";
import { formatTransfer } from "./transfer-text.ts";
import { countVariables, formatVariables } from "./variable-text.ts";

const ESCAPE = "\u001b";
const NOW = Date.parse("2026-01-02T00:00:00Z");
const PLAIN: Style = {
  columns: Infinity,
  now: NOW,
  hasColors: false,
  paint: (_format, text) => text,
};
const COLOURED: Style = {
  ...PLAIN,
  hasColors: true,
  paint: (format, text) => `<${String(format)}>${text}</>`,
};

async function collect(chunks: readonly string[], most = 1000): Promise<string[]> {
  const lines: string[] = [];
  const bytes = chunks.map((chunk) => Buffer.from(chunk));
  for await (const line of readLines(Readable.from(bytes), most)) lines.push(line);
  return lines;
}

test("however a stream is cut, its lines are the same, without empty ones", async () => {
  const text = fc.array(fc.constantFrom("a", "bc", "é", "✓", "\n", "\n\n"), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 8 }), async (parts, cuts) => {
      const whole = Buffer.from(`${parts.join("")}\n`);
      const places = [0, ...cuts.map((cut) => cut % whole.length), whole.length].toSorted(
        (a, b) => a - b,
      );
      const pieces = places.slice(1).map((end, index) => whole.subarray(places[index], end));
      const lines: string[] = [];
      for await (const line of readLines(Readable.from(pieces), 1000)) lines.push(line);
      expect(lines).toEqual(
        parts
          .join("")
          .split("\n")
          .filter((line) => line !== ""),
      );
    }),
  );
});

test("what follows the last line break was cut off and is no line", async () => {
  expect(await collect(["a\nb"])).toEqual(["a"]);
  expect(await collect(["half"])).toEqual([]);
});

test("a line that never ends is given up, also when it comes in many pieces", async () => {
  await expect(collect(["x".repeat(1001)])).rejects.toMatchObject({ code: "answer_unreadable" });
  const pieces = Array.from({ length: 30 }, () => "x".repeat(40));
  await expect(collect(pieces)).rejects.toMatchObject({ code: "answer_unreadable" });
  expect(await collect([`${"x".repeat(900)}\n${"y".repeat(900)}\n`], 2000)).toHaveLength(2);
});

test("wrapping keeps every word in its order, and every line within the width", () => {
  const words = fc.array(fc.stringMatching(/^[a-zé]{1,12}$/), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(words, fc.integer({ min: 12, max: 40 }), (list, width) => {
      const wrapped = wrap(list.join(" "), width);
      expect(wrapped.split(/\s+/)).toEqual(list);
      for (const line of wrapped.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test("lines after the first get the indent, and a line's own margin is kept", () => {
  expect(wrap("one two three", 7, "  ")).toBe("one two\n  three");
  expect(wrap("  one two three", 9)).toBe("  one two\n  three");
  expect(wrap("a\nb", 80, "> ")).toBe("a\n> b");
});

test("nothing that a process prints moves the cursor, whatever it prints", () => {
  const parts = fc.constantFrom(
    "text",
    `${ESCAPE}[31m`,
    `${ESCAPE}[2J`,
    `${ESCAPE}]0;title\u0007`,
    `${ESCAPE}[1;1H`,
    "\r",
    "\b",
    "\u0000",
    "\u009b5m",
    ESCAPE,
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), fc.boolean(), (list, hasColors) => {
      const tame = tameText(list.join(""), hasColors);
      const left = tame.replaceAll(new RegExp(`${ESCAPE}\\[[0-9;:]*m`, "g"), "");
      expect(left).not.toMatch(/[^\P{Cc}\t]/u);
      const isReset = hasColors && tame.endsWith(`${ESCAPE}[0m`);
      expect(isReset || !tame.includes(ESCAPE)).toBe(true);
    }),
  );
});

test("cutting and padding count characters, not code units", () => {
  expect(cutTo("😀😀😀", 2)).toBe("😀…");
  expect(cutTo("😀😀", 2)).toBe("😀😀");
  expect(cutTo("abc", 0)).toBe("…");
  expect(padTo("é", 3)).toBe("é  ");
  expect(padTo(`${ESCAPE}[31mred${ESCAPE}[0m`, 5)).toBe(`${ESCAPE}[31mred${ESCAPE}[0m  `);
  expect(padTo("long", 2)).toBe("long");
});

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [1000, "1.0 s"],
  [59_940, "59.9 s"],
  [60_000, "1 min 0 s"],
  [3_725_000, "62 min 5 s"],
])("%d ms read %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

test.each([
  ["2026-01-02T00:00:00Z", "0 s"],
  ["2026-01-01T23:59:01Z", "59 s"],
  ["2026-01-01T23:59:00Z", "1 min"],
  ["2026-01-01T01:00:00Z", "23 h"],
  ["2025-12-01T00:00:00Z", "32 d"],
  ["2026-01-02T00:05:00Z", "0 s"],
])("%s is %s ago", (time, age) => {
  expect(formatAge(time, NOW)).toBe(age);
});

test.each(["", "-1", "1.5", "1e3", "many", " 1", "0x10", "1000000000", "101"])(
  "%j is no count up to 100",
  (text) => {
    expect(thrownBy(() => parseCount("--last", text, 100))).toMatchObject({ code: "flag_invalid" });
  },
);

test("a count may be none, and the most", () => {
  expect(parseCount("--last", "0", 100)).toBe(0);
  expect(parseCount("--last", "100", 100)).toBe(100);
});

const LINE: LogLine = {
  time: "2026-01-01T10:11:12Z",
  process: "web",
  stream: "stdout",
  level: "info",
  message: "hi",
  fields: {},
  text: "hi",
};

test("each process keeps the colour it got first, and what Ramet says stands back", () => {
  const text = new LogText(COLOURED, { names: ["web", "jobs"], hasTimes: false });
  expect(text.format(LINE)).toBe("<cyan>web  │</> hi");
  expect(text.format({ ...LINE, process: "jobs" })).toBe("<magenta>jobs │</> hi");
  expect(text.format({ ...LINE, process: "setup" })).toContain("<yellow>setup │</>");
  expect(text.format({ ...LINE, stream: "ramet" })).toBe("<cyan>web   │</> <dim>hi</>");
});

test("a line's time is the clock's where it is wanted, and its text does nothing to the terminal", () => {
  const text = new LogText(PLAIN, { names: [], hasTimes: true });
  const hostile = `${ESCAPE}[2Jhi\r`;
  const line = { ...LINE, message: hostile, text: hostile };
  expect(text.format(line)).toMatch(/^Jan 01 \d\d:\d\d:\d\d web │ hi$/);
});

test.each([
  ["creating", "◌"],
  ["awake", "●"],
  ["frozen", "◍"],
  ["asleep", "○"],
  ["broken", "✗"],
  ["deleting", "◌"],
] as const)("an environment that is %s is shown as %s", (state, symbol) => {
  const listed = formatEnvironments([{ ...ENVIRONMENT, state, processes: [], problems: [] }], {
    here: null,
    style: PLAIN,
  });
  expect(listed.split("\n")[1]?.startsWith(`${symbol} agent`)).toBe(true);
  expect(listed).toContain(state);
});

test("a list names the app only where there are several, and marks the workspace's own", () => {
  const other = {
    ...ENVIRONMENT,
    app: "desk",
    id: "ponmlkjihgfedcba",
    processes: [],
    problems: [],
  };
  const own = { ...ENVIRONMENT, processes: [], problems: [] };
  const one = formatEnvironments([own], { here: null, style: PLAIN });
  expect(one).not.toContain("shop/agent");
  expect(one).not.toContain("(here)");
  const two = formatEnvironments([own, other], { here: own.id, style: COLOURED });
  expect(two).toContain("<bold>shop/agent</> <dim>(here)</>");
  expect(two).toContain("desk/agent  ");
});

test("what an environment lacks is a dash, and each process says where it is", () => {
  const text = formatEnvironment(
    {
      ...ENVIRONMENT,
      parent: null,
      url: null,
      databaseUrl: null,
      processes: [
        { name: "web", state: "ready", port: 4000, pid: 12 },
        { name: "worker", state: "failed", port: null, pid: null },
      ],
      problems: [{ code: "x", message: "It fell.", remedy: "Lift it." }],
    },
    PLAIN,
  );
  expect(text).toContain("url        –");
  expect(text).toContain("database   –");
  expect(text).toContain("isolation  isolated (bubblewrap)");
  expect(text).not.toContain("forked from");
  expect(text).toContain("process   web     ready       port 4000, pid 12");
  expect(text).toMatch(/process {3}worker {2}failed$/m);
  expect(text).toContain("✗ It fell.\n→ Lift it.");
});

test("what a reset replaced is shown with the command that has it back, and only while it can be", () => {
  const replacedUntil = "2026-01-02T12:34:56.000Z";
  const text = formatEnvironment(
    { ...ENVIRONMENT, processes: [], problems: [], replacedUntil },
    PLAIN,
  );
  expect(text).toMatch(/^ *replaced +can be had back until \d{4}-\d\d-\d\d \d\d:\d\d/m);
  expect(text).toContain("ramet env reset agent --undo");
  const none = formatEnvironment({ ...ENVIRONMENT, processes: [], problems: [] }, PLAIN);
  expect(none).not.toContain("replaced");
});

test("one that is ready is said in two lines; one that is broken is shown whole", () => {
  const ready = { ...CREATED, processes: [], problems: [] };
  expect(formatReady(ready, { what: "is awake", style: PLAIN })).toBe(
    `✓ shop/agent is awake\n  ${CREATED.url}`,
  );
  expect(formatReady({ ...ready, url: null }, { what: "is awake", style: PLAIN })).toBe(
    "✓ shop/agent is awake",
  );
  const broken = formatReady({ ...ready, state: "broken" }, { what: "is awake", style: PLAIN });
  expect(broken).toContain("✗ shop/agent");
  expect(broken).not.toContain("✓");
});

test("a transfer says how much went which way, and what was put aside", () => {
  const transfer = {
    app: "shop",
    environment: "agent",
    files: { kind: "kept" as const, path: "/kept" },
    changed: ["a", "b"],
    displaced: null,
  };
  const say = (changes: object, verb: string): string =>
    formatTransfer({ ...transfer, ...changes }, { verb, style: PLAIN });
  expect(say({}, "push")).toBe("✓ 2 files pushed to shop/agent");
  expect(say({ changed: ["a"] }, "pull")).toBe("✓ 1 file pulled from shop/agent");
  expect(say({ changed: [] }, "push")).toBe("✓ shop/agent has the same files already.");
  expect(say({ displaced: "/d" }, "push")).toContain("kept: ramet trash restore d");
});

test("variables are a table in which a secret, and what is not set, can be told from a value", () => {
  const rows = formatVariables(
    [
      { name: "A", secret: false, value: "one\ntwo" },
      { name: "LONGER", secret: true, value: null },
      { name: "C", secret: false, value: null },
      { name: "D", secret: false, value: `${ESCAPE}[2J` },
    ],
    PLAIN,
  );
  expect(rows.split("\n")).toEqual([
    "NAME    VALUE",
    "A       one⏎two",
    "LONGER  (secret)",
    "C       (not set)",
    "D",
  ]);
  expect([0, 1, 2].map(countVariables)).toEqual(["0 variables", "1 variable", "2 variables"]);
});

test("what the person stopped is no mistake and needs no words", () => {
  expect(describeFailure(new DOMException("Stopped.", "AbortError"))).toEqual({
    problem: null,
    exitCode: 130,
  });
  expect(describeFailure("a thrown text")).toMatchObject({
    exitCode: 1,
    problem: { code: "bug", message: expect.stringContaining("a thrown text") },
  });
  expect(stripVTControlCharacters(tameText(`${ESCAPE}[31mred`, true))).toBe("red");
});
