/** Style rules that no linter knows. Each failure names the file and what to do instead. */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { MAY_IMPORT } from "../dependency-cruiser.mjs";
import { findFolderCircles } from "../scripts/folder-circles.ts";
import { measure } from "../scripts/measure.ts";
import { COMMANDS } from "../src/cli/command-table.ts";

const ROOT = path.join(import.meta.dirname, "..");
const NOT_OURS = new Set([".git", ".ramet", "node_modules", "dist", "coverage"]);

type Ban = {
  readonly pattern: RegExp;
  readonly instead: string;
  readonly except?: readonly string[];
};

/** In what ships. */
const BANNED: readonly Ban[] = [
  {
    pattern: /(?<!promises["'] *)\bsetTimeout\(/,
    instead: "sleep() or waitFor(), which take a signal",
    except: ["src/base/clock.ts"],
  },
  { pattern: /\bDate\.now\(/, instead: "the clock passed in", except: ["src/base/clock.ts"] },
  {
    pattern: /\bprocess\.env\b/,
    instead: "what main.ts passes in",
    // All but the first are programs of their own.
    except: [
      "src/main.ts",
      "src/start.js",
      "src/probes/inside.ts",
      "src/probes/witness.ts",
      "src/runtime/dialer-program.ts",
    ],
  },
  { pattern: /(?<!handle\.)\bwriteFile\(/, instead: "writeAtomically()" },
  {
    pattern: /\brm\([^)]*recursive/,
    instead: "removeInside(), which asserts where",
    except: ["src/base/remove-inside.ts"],
  },
];

/** In tests too. The words are put together here, so that this file does not contain them. */
const BANNED_EVERYWHERE: readonly Ban[] = [
  { pattern: word("vi\\.(mock|doMock|spyOn)\\("), instead: "the real thing" },
  { pattern: word("(test|it|describe)\\.(skip|only|todo|fails)\\b"), instead: "a test that runs" },
  {
    pattern: word("(TO", "DO|FIX", "ME|XX", "X|HA", "CK)\\b"),
    instead: "doing it before it lands",
  },
  { pattern: word("@ts-(ignore|nocheck|expect-error)|(ox|es)lint-disable"), instead: "mending it" },
  { pattern: /catch *(\([^)]*\))? *\{\s*\}/, instead: "a comment on why nothing is done" },
  {
    // Unless a comment stands in the line before, or behind.
    pattern: /(?<!\/\/[^\n]*\n[^\n]*)\.catch\(\(\) *=> *(\{\s*\}|undefined|null)\)(?![^\n]*\/\/)/,
    instead: "a comment on why the failure is nothing",
  },
];

test("no banned word is used where its replacement exists", async () => {
  const shipped = await readAll((file) => file.startsWith("src/") && !file.endsWith(".test.ts"));
  const code = await readAll((file) => /^(src|test|bench|scripts|bin)\//.test(file));

  expect([...findBanned(shipped, BANNED), ...findBanned(code, BANNED_EVERYWHERE)]).toEqual([]);
});

test("every room has its line in ARCHITECTURE.md, with what it may import", async () => {
  const entries = await readdir(path.join(ROOT, "src"), { withFileTypes: true });
  const rooms = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const table = await readRooms();

  expect(table.map(([room]) => room).toSorted()).toEqual(rooms.toSorted());
  expect(Object.fromEntries(table)).toEqual(
    Object.fromEntries(Object.entries(MAY_IMPORT).map(([room, may]) => [room, may.toSorted()])),
  );
});

test("every closed room has a door, which opens with what the room is for", async () => {
  const open = new Set(["base", "protocol", "environment"]);
  const doors = Object.keys(MAY_IMPORT)
    .filter((room) => !open.has(room))
    .map((room) => `src/${room}/${room}.ts`);
  const sources = await readAll((file) => doors.includes(file));
  const silent = sources.filter(({ text }) => !/^\/\*\*\s(?: \* )?[A-Z][^]*?\.\s*\*\//.test(text));

  expect(sources.map(({ file }) => file).toSorted()).toEqual(doors.toSorted());
  expect(silent.map(({ file }) => file)).toEqual([]);
});

test("no folder stands on one that stands on it", () => {
  expect(findFolderCircles()).toEqual([]);
});

test("every code of a problem is made in one place", async () => {
  const sources = await readAll((file) => /^src\/.*problems\.ts$/.test(file));
  const codes = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/\bcode: "(\w+)"/g)].map(([, code]) => ({ code, file })),
  );
  const twice = codes.filter(({ code }, at) => codes.findIndex((one) => one.code === code) !== at);

  expect(codes.length).toBeGreaterThan(0);
  expect(twice).toEqual([]);
});

test("every command that a text names is there", async () => {
  const commands = Object.keys(COMMANDS);
  const known = new Set([...commands, ...commands.map(firstWord), "help"]);
  const texts = await readAll((file) => /\.(ts|md)$/.test(file));
  const named = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/(?:`|^\$? ?)(?:sudo )?ramet ([a-z]+)((?: [a-z]+)?)/gm)].map(
      ([, group = "", verb = ""]) => ({ file, group, line: `${group}${verb}` }),
    ),
  );
  const unknown = named.filter(({ group, line }) => !known.has(isGroup(group) ? line : group));

  expect(named.length).toBeGreaterThan(100);
  expect(unknown).toEqual([]);

  function isGroup(name: string): boolean {
    return !commands.includes(name) && commands.some((one) => one.startsWith(`${name} `));
  }
});

test("no tracked file knows the machine on which it was written, or is huge", async () => {
  const files = await readAll(() => true);
  const machine = /(^|[\s"'`(=:])\/(work|farm|root)\//m;
  const sizes = await Promise.all(files.map(({ file }) => stat(path.join(ROOT, file))));

  expect(files.filter(({ text }) => machine.test(text)).map(({ file }) => file)).toEqual([]);
  expect(files.filter((_, at) => (sizes[at]?.size ?? 0) > 300_000)).toEqual([]);
});

test("the documents stay as short as they promise", async () => {
  expect(await countWords("AGENTS.md")).toBeLessThan(400);
  expect(await countWords("ARCHITECTURE.md")).toBeLessThan(1400);
  expect((await readFile(path.join(ROOT, "README.md"), "utf8")).split("\n").length).toBeLessThan(
    80,
  );
});

test("the yardstick holds", () => {
  const shape = measure();

  expect(shape.functionMedian).toBeLessThanOrEqual(10);
  expect(shape.functionP90).toBeLessThanOrEqual(30);
  expect(shape.fileMedian).toBeLessThanOrEqual(110);
  expect(shape.casts).toBe(0);
  expect(shape.testRatio).toBeGreaterThanOrEqual(1);
  expect(shape.testRatio).toBeLessThanOrEqual(2.5);
});

type Source = { readonly file: string; readonly text: string };

async function readAll(wanted: (file: string) => boolean): Promise<readonly Source[]> {
  const files = (await listFiles("")).filter(wanted);
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(path.join(ROOT, file), "utf8") })),
  );
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(ROOT, folder), { withFileTypes: true });
  const ours = entries.filter((entry) => !NOT_OURS.has(entry.name) && !entry.name.endsWith(".tgz"));
  const nested = await Promise.all(
    ours.map(async (entry) => {
      const file = path.posix.join(folder, entry.name);
      return entry.isDirectory() ? listFiles(file) : [file];
    }),
  );
  return nested.flat();
}

function findBanned(sources: readonly Source[], bans: readonly Ban[]): string[] {
  return sources.flatMap(({ file, text }) =>
    bans
      .filter(({ except = [] }) => !except.includes(file))
      .map(({ pattern, instead }) => ({ found: pattern.exec(text), instead }))
      .filter(({ found }) => found !== null)
      .map(({ found, instead }) => `${file}: instead of ${found?.[0]} there should be ${instead}`),
  );
}

/** The rows `| \`room/\` | sentence | may import |`. */
async function readRooms(): Promise<[room: string, mayImport: string[]][]> {
  const text = await readFile(path.join(ROOT, "ARCHITECTURE.md"), "utf8");
  return [...text.matchAll(/^\| `(\w+)\/` \| [^|]+ \| ([^|]+) \|$/gm)].map(([, room, may]) => [
    room ?? "",
    may === undefined || may.trim() === "—" ? [] : may.trim().split(", ").toSorted(),
  ]);
}

async function countWords(file: string): Promise<number> {
  const text = await readFile(path.join(ROOT, file), "utf8");
  return text.split(/\s+/).filter((one) => one !== "").length;
}

function firstWord(text: string): string {
  return text.split(" ")[0] ?? "";
}

function word(...parts: readonly string[]): RegExp {
  return new RegExp(`\\b${parts.join("")}`);
}
