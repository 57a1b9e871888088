import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { environmentSchema } from "../../src/protocol/schemas.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let app: string;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  await stage.json(app, ["init"]);
});
afterAll(async () => stage.close());

const REFUSED: readonly [argv: readonly string[], code: string][] = [
  [["env", "create", "../x"], "name_invalid"],
  [["env", "create", "x'; drop table notes;--"], "name_invalid"],
  [["env", "create", "a\u0007b"], "name_invalid"],
  [["env", "create", "--", "--x"], "name_invalid"],
  [["env", "create", "a".repeat(33)], "name_invalid"],
  [["env", "create", "a--b"], "name_invalid"],
  [["env", "create", "localhost"], "name_invalid"],
  [["env", "create", ""], "name_invalid"],
  [["env", "create", "development"], "environment_exists"],
  [["env", "create", "x", "--from", "nowhere"], "environment_unknown"],
  [["env", "create", "x", "--app", "nowhere"], "app_unknown"],
  [["env", "create", "x", "--files", "sideways"], "flag_invalid"],
  [["env", "create"], "argument_missing"],
  [["env", "create", "x", "y"], "argument_unexpected"],
  [["env", "show", "developmint"], "environment_unknown"],
  [["env", "delete", "nowhere", "--force"], "environment_unknown"],
  [["env", "delete", "development"], "confirmation_needed"],
  [["env", "crate", "x"], "command_unknown"],
  [["env", "list", "--bogus"], "flag_unknown"],
  [["bogus"], "command_unknown"],
  [["var", "set", "1BAD=x"], "variable_name_invalid"],
  [["var", "set", "PORT=1"], "variable_reserved"],
  [["var", "get", "NOWHERE"], "variable_unknown"],
  [["db", "query", "select broken"], "sql_failed"],
  [["logs", "--process", "nobody"], "process_unknown"],
  [["app", "delete", "nowhere", "--force"], "app_unknown"],
];

test.each(REFUSED)("ramet %j is refused as %s, and changes nothing", async (argv, code) => {
  const before = await listLasting();

  const ran = await stage.ramet(app, [...insertJson(argv)]);

  expect(ran.exitCode).toBe(2);
  expect(JSON.parse(ran.stdout)).toEqual({
    problem: { code, message: expect.stringMatching(/\S/), remedy: expect.stringMatching(/\S/) },
  });
  expect(await listLasting()).toEqual(before);
});

/** Its environments, without what time alone changes: when they were used, and what the server counts behind. */
async function listLasting(): Promise<readonly unknown[]> {
  const environments = environmentSchema.array().parse(await stage.json(app, ["env", "list"]));
  const passing = { usedAt: null, sleepsAt: null, ownBytes: null, standbys: [] };
  return environments.map((environment) => ({ ...environment, ...passing }));
}

test.each([
  [["env", "crate", "x"], "env create"],
  [["env", "show", "developmint"], "development"],
  [["env", "list", "--jsn"], "--json"],
])("what %j may have meant is named: %s", async (argv, meant) => {
  const { stderr, exitCode } = await stage.ramet(app, argv);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(meant);
});

test("a problem goes to standard error as text, and nothing goes to standard output", async () => {
  const { stdout, stderr } = await stage.ramet(app, ["env", "show", "nowhere"]);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/no environment nowhere[^]*ramet env list/);
});

test("development stays while others came from it", async () => {
  await stage.json(app, ["env", "create", "other"]);
  const ran = await stage.ramet(app, ["env", "delete", "development", "--force", "--json"]);
  expect(ran).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("environment_needed") });
  await stage.ramet(app, ["env", "delete", "other", "--force"]);
});

test("a folder that is no app is told so", async () => {
  const empty = path.join(stage.folder, "empty");
  await mkdir(empty);
  const ran = await stage.ramet(empty, ["init", "--json"]);
  expect(ran).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("app_not_found") });
});

test("a broken ramet.json is told with where and why, and no app is made", async () => {
  const broken = path.join(stage.folder, "broken");
  await mkdir(broken);
  await writeFile(
    path.join(broken, "ramet.json"),
    '{\n  "app": "broken",\n  "processes": { "web": {,} }\n}\n',
  );
  const ran = await stage.ramet(broken, ["init", "--json"]);
  expect(ran).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("manifest_invalid") });
  expect(ran.stdout).toMatch(/ramet\.json:3:/);
  expect(await stage.json(app, ["app", "list"])).toHaveLength(1);
});

test.each([
  ["setup", { setup: "echo trying; echo lost >&2; exit 7" }],
  ["migrate", { database: { migrate: "echo trying; echo lost >&2; exit 7" } }],
])(
  "a command that fails in %s shows its last lines; the environment is broken, can be looked into, and is mended",
  async (step, part) => {
    const folder = path.join(stage.folder, `fails-${step}`);
    await mkdir(folder);
    const manifest = {
      app: `fails-${step}`,
      processes: { web: { command: "node -e 'setInterval(() => {}, 1000)'", port: false } },
    };
    await writeFile(path.join(folder, "ramet.json"), JSON.stringify({ ...manifest, ...part }));

    const ran = await stage.ramet(folder, ["init", "--json"]);

    expect(ran).toMatchObject({ exitCode: 2, stdout: expect.stringContaining(`${step}_failed`) });
    expect(ran.stdout).toMatch(/exit code 7[^]*lost/);
    expect(await stage.json(folder, ["env", "show"])).toMatchObject({
      state: "broken",
      problems: [{ code: `${step}_failed` }],
    });
    expect(await stage.json(folder, ["db", "query", "select 1 as one"])).toMatchObject({
      rows: [["1"]],
    });
    const forked = await stage.ramet(folder, ["env", "create", "x", "--json"]);
    expect(forked).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("source_broken") });

    await writeFile(path.join(folder, "ramet.json"), JSON.stringify(manifest));
    expect(await stage.json(folder, ["env", "start", "development"])).toMatchObject({
      state: "awake",
      problems: [],
    });
    await stage.ramet(folder, ["app", "delete", `fails-${step}`, "--force"]);
  },
);

test("a process that needs a variable waits until it is set", async () => {
  const folder = path.join(stage.folder, "needs");
  await mkdir(folder);
  const manifest = {
    app: "needs",
    database: false,
    processes: { web: { command: "echo key $KEY; exec sleep 1000", port: false } },
    variables: { KEY: { secret: true, required: true } },
  };
  await writeFile(path.join(folder, "ramet.json"), JSON.stringify(manifest));

  const made = await stage.json(folder, ["init"]);
  expect(made).toMatchObject({
    databaseUrl: null,
    url: null,
    processes: [{ state: "waiting", pid: null }],
  });
  expect(made).toMatchObject({ problems: [{ code: "variable_missing" }] });

  await stage.json(folder, ["var", "set", "KEY", "--secret"], { input: "hush\n" });
  expect(await stage.json(folder, ["env", "start", "development"])).toMatchObject({
    processes: [{ state: "ready" }],
    problems: [],
  });
  await stage.ramet(folder, ["app", "delete", "needs", "--force"]);
});

/** Before a `--`, since what follows it is no flag. */
function insertJson(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? [...argv, "--json"] : [...argv.slice(0, end), "--json", ...argv.slice(end)];
}
