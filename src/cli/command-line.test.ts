import { expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { parseCommandLine } from "./command-line.ts";
import { thrownBy } from "./fixtures/thrown.ts";

test.each<[argv: string[], name: string, rest: string[]]>([
  [["env", "list"], "env list", []],
  [["envs", "ls", "--all"], "env list", ["--all"]],
  [["var", "ls"], "var list", []],
  [["log", "-f"], "logs", ["-f"]],
  [["--json", "env", "list"], "env list", ["--json"]],
  [["--app", "shop", "-e=x", "db", "url"], "db url", ["--app", "shop", "-e=x"]],
  [["run", "--", "help"], "run", ["--", "help"]],
  [["db", "query", "select 1"], "db query", ["select 1"]],
])("%j is %s", (argv, name, rest) => {
  expect(parseCommandLine(argv)).toEqual({ kind: "command", name, argv: rest });
});

test.each<[argv: string[], group: string | null, name: string | null]>([
  [[], null, null],
  [["help"], null, null],
  [["--help"], null, null],
  [["--json", "-h"], null, null],
  [["env"], "env", null],
  [["envs", "--help"], "env", null],
  [["help", "env"], "env", null],
  [["help", "env", "create"], null, "env create"],
  [["help", "envs", "ls", "--json"], null, "env list"],
])("%j is a call for help", (argv, group, name) => {
  expect(parseCommandLine(argv)).toEqual({ kind: "help", group, name });
});

test.each<[argv: string[], nearest: string]>([
  [["env", "crate", "x"], "ramet env create"],
  [["envs", "lst"], "ramet env list"],
  [["docter"], "ramet doctor"],
  [["sever", "start"], "ramet server start"],
  [["create", "x"], "ramet env create"],
  [["deploy"], "ramet help"],
  [["help", "env", "crate"], "ramet env create"],
  [["toString"], "ramet help"],
  [["env", "constructor"], "ramet help"],
  [["--bogus"], "ramet help"],
])("%j is unknown, and the remedy names %s", (argv, nearest) => {
  const error = thrownBy(() => parseCommandLine(argv));
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({
    code: "command_unknown",
    remedy: expect.stringContaining(nearest),
  });
});

test("--version is no command's flag", () => {
  expect(parseCommandLine(["--version"])).toEqual({ kind: "version" });
});
