import { expect, test } from "vitest";

import { COMMANDS, SECTIONS } from "./command-table.ts";
import { createHelp } from "./help.ts";
import { widthOf } from "./terminal/style.ts";
import type { Style } from "./terminal/style.ts";

function styleOf(columns: number): Style {
  return { columns, now: 0, hasColors: false, paint: (_format, text) => text };
}

async function textOf(name: string): Promise<string> {
  return (await createHelp({ group: null, name }, true)).toText(styleOf(100));
}

const NAMES = Object.keys(COMMANDS);

test("every command stands in one section, in the order of the table", () => {
  const listed = SECTIONS.flatMap(([, first, last]) =>
    NAMES.slice(NAMES.indexOf(first), NAMES.indexOf(last) + 1),
  );
  expect(listed).toEqual(NAMES);
});

test("the list of commands names each with a summary, and says how to learn more", async () => {
  const help = await createHelp({ group: null, name: null }, true);
  const text = help.toText(styleOf(100));
  for (const name of NAMES) expect(text).toMatch(new RegExp(`^ {2}${name}( [A-Z]+)? {2,}\\S`, "m"));
  expect(text).toContain("ramet help COMMAND");
  expect(help).toMatchObject({ exitCode: 0, result: NAMES.map((name) => ({ name })) });
});

test.each([40, 60, 80, 120])("no line of any help is wider than %i columns", async (columns) => {
  const all = await Promise.all(
    [null, ...NAMES].map(async (name) => createHelp({ group: null, name }, true)),
  );
  const lines = all.flatMap((help) => help.toText(styleOf(columns)).split("\n"));
  // Neither an example nor the usage's longest word can be broken.
  const wide = lines.filter((line) => widthOf(line) > columns && !line.startsWith("  ramet "));
  expect(wide).toEqual([]);
});

test("a group's help lists its commands alone", async () => {
  const text = (await createHelp({ group: "var", name: null }, true)).toText(styleOf(80));
  const listed = NAMES.filter((name) => text.includes(`  ${name}`));
  expect(listed).toEqual(NAMES.filter((name) => name.startsWith("var ")));
});

test("a command's help has its usage, arguments, own and common flags, and examples", async () => {
  const text = await textOf("env create");
  expect(text).toContain(
    "Usage: ramet env create NAME [--from ENV] [--use] [--files linked|kept] [--data all|schema|none]",
  );
  for (const word of [
    "Arguments",
    "Flags",
    "Examples",
    "-u, --use",
    "    --from ENV",
    "-a, --app APP",
  ])
    expect(text).toContain(word);
  expect(text).not.toContain("--env");
  for (const common of ["--json", "--quiet", "--help"]) expect(text).toContain(common);
});

test("a command that is about no app takes neither --app nor --env, one about an environment both", async () => {
  expect(await textOf("doctor")).not.toMatch(/--app|--env/);
  expect(await textOf("logs")).toMatch(/-a, --app APP[^]*-e, --env ENV/);
});

test("help for a program has the shapes that arguments are read by", async () => {
  const { result } = await createHelp({ group: null, name: "var set" }, true);
  expect(result).toMatchObject({
    name: "var set",
    usage: "ramet var set [--secret] NAME=VALUE…",
    positionals: [{ name: "NAME=VALUE", kind: "rest" }],
    options: { secret: { kind: "flag" }, app: { kind: "value", placeholder: "APP" } },
    examples: [{ line: expect.stringContaining("ramet var set") }, {}],
  });
});

test("every example is a command line that its own command understands", async () => {
  for (const load of Object.values(COMMANDS)) {
    const { name, examples } = await load();
    for (const { line, why } of examples) {
      expect(line).toContain(`ramet ${name}`);
      expect(why).not.toBe("");
    }
  }
});

test("every command has at least two examples, each of itself", async () => {
  for (const name of NAMES) {
    const examples = (await COMMANDS[name]?.())?.examples ?? [];
    expect([name, examples.length]).toEqual([name, Math.max(2, examples.length)]);
    for (const { line } of examples) expect(line).toContain(`ramet ${name}`);
  }
});
