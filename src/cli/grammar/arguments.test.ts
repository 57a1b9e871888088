import fc from "fast-check";
import { expect, test } from "vitest";

import { Problem } from "../../base/problem.ts";
import { COMMANDS } from "../command-table.ts";
import { thrownBy } from "../fixtures/thrown.ts";
import type { Command } from "../session/command.ts";
import { hasFlag, parseArguments, usageOf } from "./arguments.ts";

async function load(name: string): Promise<Command> {
  const command = await COMMANDS[name]?.();
  if (command === undefined) throw new Error(`There is no ${name}.`);
  return command;
}

const NOTHING = { flags: [], values: {}, positionals: {}, rest: [] };

test.each([
  ["env create", ["x", "--use"], { flags: ["use"], positionals: { NAME: "x" } }],
  [
    "env create",
    ["--use", "x", "--from", "y"],
    { flags: ["use"], values: { from: "y" }, positionals: { NAME: "x" } },
  ],
  [
    "env create",
    ["--from=y", "-a", "shop", "x", "-u"],
    { flags: ["use"], values: { from: "y", app: "shop" }, positionals: { NAME: "x" } },
  ],
  ["env create", ["--from=-y", "x"], { values: { from: "-y" }, positionals: { NAME: "x" } }],
  ["env create", ["--", "--x"], { positionals: { NAME: "--x" } }],
  ["env show", [], {}],
  ["env show", ["--json", "-e", "x"], { flags: ["json"], values: { env: "x" } }],
  ["var set", ["A=1", "B=x=y", "--secret"], { flags: ["secret"], rest: ["A=1", "B=x=y"] }],
  [
    "run",
    ["--env", "x", "--", "npm", "test", "--watch"],
    { values: { env: "x" }, rest: ["npm", "test", "--watch"] },
  ],
  ["run", ["npm", "test"], { rest: ["npm", "test"] }],
  [
    "logs",
    ["-f", "-n", "5", "-qp", "web"],
    { flags: ["follow", "quiet"], values: { last: "5", process: "web" } },
  ],
  ["db query", ["-"], { positionals: { SQL: "-" } }],
  ["env delete", ["x", "--force", "--force"], { flags: ["force"], positionals: { ENV: "x" } }],
])("%s %j is understood", async (name, argv, wanted) => {
  const { flags, values, positionals, rest } = { ...NOTHING, ...wanted };
  expect(parseArguments(await load(name), argv)).toEqual({
    flags: new Set(flags),
    values: new Map(Object.entries(values)),
    positionals: new Map(Object.entries(positionals)),
    rest,
  });
});

test.each([
  ["env create", [], ["argument_missing", "needs NAME"]],
  ["env create", ["x", "y"], ["argument_unexpected", '"y"']],
  ["env create", ["x", "--frm", "y"], ["flag_unknown", "--from"]],
  ["env create", ["--x"], ["flag_unknown", "--help"]],
  ["env create", ["x", "-z"], ["flag_unknown", '"-z"']],
  ["env create", ["x", "--from"], ["flag_value_missing", "--from ENV"]],
  ["env create", ["x", "--from", "--use"], ["flag_value_missing", "--from ENV"]],
  ["env create", ["x", "--from", "a", "--from", "b"], ["flag_repeated", "--from"]],
  ["env create", ["x", "--use=yes"], ["flag_value_unexpected", "--use"]],
  ["env create", ["x", "--env", "y"], ["flag_unknown", '"--env"']],
  ["env create", ["x", "--__proto__"], ["flag_unknown", "__proto__"]],
  ["env create", ["x", "--constructor=1"], ["flag_unknown", "constructor"]],
  ["server status", ["--app", "x"], ["flag_unknown", '"--app"']],
  ["var list", ["x\u001b[31m"], ["argument_unexpected", "\\u001b"]],
])("%s %j is refused as %j", async (name, argv, [code, words]) => {
  const command = await load(name);
  const error = thrownBy(() => parseArguments(command, argv));
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({ code });
  expect(error instanceof Problem ? `${error.message} ${error.remedy}` : "").toContain(words);
});

test("whatever is typed is understood or refused with a problem, never a mistake of ours", async () => {
  const command = await load("env create");
  const word = fc.oneof(fc.string(), fc.constantFrom("--from", "--use", "-u", "--", "-a", "x"));
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const error = thrownBy(() => parseArguments(command, argv));
      expect(error === undefined || error instanceof Problem).toBe(true);
    }),
  );
});

test("a flag after -- is the command's own", () => {
  expect(hasFlag(["run", "--", "x", "--json"], "--json")).toBe(false);
  expect(hasFlag(["run", "--json", "--", "x"], "--json")).toBe(true);
});

test("every command bears the name that the table knows it by, and its usage starts with it", async () => {
  for (const name of Object.keys(COMMANDS)) {
    const command = await load(name);
    expect(command.name).toBe(name);
    expect(usageOf(command)).toMatch(`ramet ${name}`);
    expect(command.summary).not.toMatch(/\.$/);
  }
});

test("no command gives one letter to two flags", async () => {
  for (const name of Object.keys(COMMANDS)) {
    const { options, scope } = await load(name);
    const taken =
      scope === "none" ? ["q", "h"] : ["q", "h", "a", ...(scope === "environment" ? ["e"] : [])];
    const letters = [...taken, ...Object.values(options).flatMap(({ short }) => short ?? [])];
    expect({ name, letters }).toEqual({ name, letters: [...new Set(letters)] });
  }
});
