import path from "node:path";
import { Readable } from "node:stream";

import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../../base/write-atomically.ts";
import { runCli } from "../cli.ts";
import { VARIABLES } from "../fixtures/answers.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

test.each([
  ["y\n", 0, ["environment.show", "variable.delete"]],
  ["yes\n", 0, ["environment.show", "variable.delete"]],
  ["n\n", 2, ["environment.show"]],
  ["\n", 2, ["environment.show"]],
])("asked at a terminal, %j decides", async (input, exitCode, called) => {
  await world.bind();
  const { calls } = await world.serve({ "variable.delete": { deleted: ["A"] } });
  const context = world.contextAt();
  const terminal = { isTerminal: true, columns: 80, write: context.stderr.write };
  const stdin = { isTerminal: true, open: () => Readable.from([Buffer.from(input)]) };
  expect(await runCli(["var", "delete", "A"], { ...context, stderr: terminal, stdin })).toBe(
    exitCode,
  );
  expect(calls.map(({ name }) => name)).toEqual(called);
  expect(context.err()).toContain("A of shop/agent will be deleted.\n");
  expect(context.err()).toContain("Go on? [y/N]");
});

test("a secret comes from standard input, without its last line break, and never goes anywhere else", async () => {
  await world.bind();
  const { calls } = await world.serve({
    "variable.set": [{ name: "STRIPE_KEY", secret: true, value: null }],
  });
  const { out, err } = await world.ramet(["var", "set", "STRIPE_KEY", "--secret"], {
    input: "sk_test_1\nline 2\n",
  });
  expect(calls.at(-1)?.input).toMatchObject({
    variables: [{ name: "STRIPE_KEY", value: "sk_test_1\nline 2" }],
    secret: true,
  });
  expect(out + err).not.toContain("sk_test");
});

test("a secret longer than any secret is refused", async () => {
  await world.bind();
  const answer = await world.json(["var", "set", "K", "--secret"], {
    input: "x".repeat(2_000_000),
  });
  expect(answer).toMatchObject({ problem: { code: "input_too_long" } });
});

test("variables are set all at once, with everything after the first =", async () => {
  await world.bind();
  const { calls } = await world.serve({ "variable.set": VARIABLES });
  await world.ramet(["var", "set", "A=1", "B=x=y", "C="]);
  expect(calls.at(-1)?.input).toMatchObject({
    variables: [
      { name: "A", value: "1" },
      { name: "B", value: "x=y" },
      { name: "C", value: "" },
    ],
    secret: false,
  });
});

test("a variable is read back, a secret is not, and a near name is named", async () => {
  await world.bind();
  await world.serve({ "variable.list": VARIABLES });
  expect(await world.json(["var", "get", "LOG_LEVEL"])).toEqual({
    name: "LOG_LEVEL",
    value: "debug",
  });
  expect(await world.json(["var", "get", "UNSET"])).toEqual({ name: "UNSET", value: null });
  expect(await world.json(["var", "get", "STRIPE_KEY"])).toMatchObject({
    problem: { code: "variable_secret" },
  });
  expect(await world.json(["var", "get", "LOG_LEVLE"])).toMatchObject({
    problem: { remedy: expect.stringContaining("Did you mean LOG_LEVEL?") },
  });
  const { out } = await world.ramet(["var", "list"]);
  expect(out).toContain("STRIPE_KEY  (secret)");
  expect(out).toContain("UNSET       (not set)");
});

test("a file's variables are imported as it spells them", async () => {
  await world.bind();
  await writeAtomically(path.join(world.workspace, ".env"), 'A=1\n# no\nB="x\ny"\nexport C=3\n');
  const { calls } = await world.serve({ "variable.import": { imported: [], skipped: [] } });
  await world.ramet(["var", "import", "--from-file", ".env", "--all", "--include-values"]);
  expect(calls.at(-1)?.input).toMatchObject({
    source: { kind: "file", variables: { A: "1", B: "x\ny", C: "3" } },
    names: null,
    includeValues: true,
  });
});
