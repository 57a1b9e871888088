import { afterEach, beforeEach, expect, test } from "vitest";

import { exists } from "../base/remove-inside.ts";
import { COMMANDS } from "./command-table.ts";
import { ENVIRONMENT } from "./fixtures/answers.ts";
import { send } from "./fixtures/call-server.ts";
import { createWorld } from "./fixtures/world.ts";
import type { World } from "./fixtures/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

test("alone it tells what there is, and ends well", async () => {
  const { exitCode, out, err } = await world.ramet([]);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  for (const name of Object.keys(COMMANDS)) expect(out).toContain(name);
});

test.each(Object.keys(COMMANDS))(
  "ramet %s --help tells its flags without a server",
  async (name) => {
    const { exitCode, out, err } = await world.ramet([...name.split(" "), "--help"]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toContain(`ramet ${name}`);
    expect(out).toContain("--json");
    const described = await world.json(["help", ...name.split(" ")]);
    expect(described).toMatchObject({ name, options: { json: { kind: "flag" } } });
  },
);

test("--version and version say the same", async () => {
  const { out } = await world.ramet(["--version"]);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await world.json(["version"])).toEqual({ version: out.trim() });
});

test.each([
  [["env", "crate"], "command_unknown"],
  [["env", "create"], "argument_missing"],
  [["env", "create", "../x"], "name_invalid"],
  [["env", "create", "x'; drop table users"], "name_invalid"],
  [["env", "create", "a--b"], "name_invalid"],
  [["env", "create", "x\u0007"], "name_invalid"],
  [["env", "create", "x".repeat(200)], "name_invalid"],
  [["env", "create", "--x"], "flag_unknown"],
  [["env", "create", "x", "--files", "both"], "flag_invalid"],
  [["env", "create", "x", "--from", "../y"], "name_invalid"],
  [["env", "list", "--all", "--app", "x"], "flags_exclusive"],
  [["env", "show", "x", "--env", "y", "--app", "z"], "flags_exclusive"],
  [["var", "set"], "argument_missing"],
  [["var", "set", "X"], "variable_value_missing"],
  [["var", "set", "=x"], "variable_value_missing"],
  [["var", "delete"], "choice_missing"],
  [["var", "import", "--all"], "choice_missing"],
  [["var", "import", "--from", "x"], "choice_missing"],
  [["var", "import", "--from", "x", "--from-file", "y", "--all"], "flags_exclusive"],
  [["var", "import", "--from-file", "gone", "--all"], "file_unreadable"],
  [["var", "import", "A", "--all", "--from", "x"], "flags_exclusive"],
  [["logs", "--last", "many"], "flag_invalid"],
  [["run"], "argument_missing"],
  [["dev", "gone"], "folder_missing"],
  [["env", "show"], "environment_unbound"],
])("%j is refused as %s before any server is asked or started", async (argv, code) => {
  const { exitCode, out, err } = await world.ramet(
    [...argv.slice(0, 1), "--json", ...argv.slice(1)].toSorted(
      (a, b) => Number(b === "--json") - Number(a === "--json"),
    ),
  );
  expect(JSON.parse(out)).toEqual({
    problem: { code, message: expect.any(String), remedy: expect.any(String) },
  });
  expect({ exitCode, err }).toEqual({ exitCode: 2, err: "" });
  expect(await exists(world.contextAt().home.folder)).toBe(false);
});

test("a problem for a person goes to standard error, with its remedy", async () => {
  const { exitCode, out, err } = await world.ramet(["env", "crate"]);
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
  expect(err).toBe('✗ There is no command "env crate".\n→ Did you mean `ramet env create`?\n');
});

test("a conflict has an exit code of its own, and so has a mistake of ours", async () => {
  await world.bind();
  const problem = { code: "sync_conflict", message: "Both.", remedy: "--force" };
  await world.serveWith(({ name }, response) => {
    if (name === "environment.show") return send(response, { result: ENVIRONMENT });
    return send(response, name === "files.push" ? { problem } : { bug: "x is undefined" });
  });
  expect(await world.ramet(["push"])).toMatchObject({ exitCode: 3 });
  const { exitCode, out } = await world.ramet(["pull", "--json"]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    problem: { code: "bug", message: expect.stringContaining("x is undefined") },
  });
});
