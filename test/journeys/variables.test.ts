import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { hasErrorCode } from "../../src/base/problem.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

const SECRET = "sk_live_never_to_be_seen_9271";

const MANIFEST = {
  app: "vault",
  database: false,
  processes: {
    web: { command: "node server.mjs", ready: { http: "/" } },
    worker: { command: "node worker.mjs", port: false },
  },
  variables: { GREETING: { required: true }, BASE: "at $RAMET_ENV" },
};

/** Answers what it sees of the variables that a test sets, and only the length of what may be secret. */
const SERVER = [
  'import { createServer } from "node:http";',
  "const seen = () => ({",
  "  greeting: process.env.GREETING ?? null, base: process.env.BASE ?? null,",
  "  plain: process.env.PLAIN ?? null, todo: process.env.TODO_NAME ?? null,",
  "  keyLength: process.env.KEY?.length ?? null });",
  "createServer((_request, response) => response.end(JSON.stringify(seen())))",
  "  .listen(process.env.PORT, process.env.HOST);",
].join("\n");

let stage: Stage;
let app: string;
let url: string;
/** Everything that any command printed. */
const printed: string[] = [];

beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "vault");
  await mkdir(app);
  await writeFile(path.join(app, "ramet.json"), JSON.stringify(MANIFEST));
  await writeFile(path.join(app, "server.mjs"), SERVER);
  await writeFile(path.join(app, "worker.mjs"), "setInterval(() => {}, 1000);");
});
afterAll(async () => stage.close());

type Answer = { readonly exitCode: number; readonly value: unknown };

/** With --json; the exit code is the test's to judge. */
async function ask(argv: readonly string[], input = ""): Promise<Answer> {
  const { exitCode, stdout, stderr } = await stage.ramet(app, [...argv, "--json"], { input });
  printed.push(stdout, stderr);
  const value: unknown = JSON.parse(stdout);
  return { exitCode, value };
}

async function show(name: string): Promise<ReturnType<typeof environmentSchema.parse>> {
  return environmentSchema.parse((await ask(["env", "show", name])).value);
}

async function readPids(name: string): Promise<readonly (number | null)[]> {
  return (await show(name)).processes.map(({ pid }) => pid);
}

async function expectReady(name: string): Promise<void> {
  await eventually(async () =>
    expect((await show(name)).processes).toMatchObject([{ state: "ready" }, { state: "ready" }]),
  );
}

function problem(code: string): Answer {
  return { exitCode: 2, value: { problem: expect.objectContaining({ code }) } };
}

test("processes wait for a variable that the manifest requires, and var set starts them", async () => {
  const made = await ask(["init"]);
  expect(made).toMatchObject({
    exitCode: 0,
    value: {
      databaseUrl: null,
      processes: [
        { name: "web", state: "waiting", pid: null },
        { name: "worker", state: "waiting", pid: null },
      ],
      problems: [{ code: "variable_missing", remedy: expect.stringContaining("GREETING") }],
    },
  });
  url = environmentSchema.parse(made.value).url ?? "";
  expect(await ask(["var", "list"])).toEqual({ exitCode: 0, value: [] });

  expect(await ask(["var", "set", "GREETING=hello=there world"])).toEqual({
    exitCode: 0,
    value: [{ name: "GREETING", secret: false, value: "hello=there world" }],
  });
  await expectReady("development");
  await eventually(async () =>
    expect(await fetchJson(url)).toMatchObject({
      greeting: "hello=there world",
      base: "at development",
      plain: null,
    }),
  );
});

test("var get has a name and a value, and var list is a bare array sorted by name", async () => {
  await ask(["var", "set", "ZED=", "PLAIN=one"]);
  expect(await ask(["var", "get", "PLAIN"])).toEqual({
    exitCode: 0,
    value: { name: "PLAIN", value: "one" },
  });
  expect(await ask(["var", "get", "ZED"])).toEqual({
    exitCode: 0,
    value: { name: "ZED", value: "" },
  });
  expect(await ask(["var", "list"])).toEqual({
    exitCode: 0,
    value: [
      { name: "GREETING", secret: false, value: "hello=there world" },
      { name: "PLAIN", secret: false, value: "one" },
      { name: "ZED", secret: false, value: "" },
    ],
  });
  expect((await stage.ramet(app, ["var", "get", "PLAIN"])).stdout).toBe("one\n");
});

test("a secret is read from standard input, used by processes and commands, and never read back", async () => {
  const set = await ask(["var", "set", "KEY", "--secret"], `${SECRET}\n`);
  expect(set).toEqual({ exitCode: 0, value: [{ name: "KEY", secret: true, value: null }] });
  await expectReady("development");
  await eventually(async () =>
    expect(await fetchJson(url)).toMatchObject({ keyLength: SECRET.length }),
  );
  expect(await ask(["var", "get", "KEY"])).toEqual(problem("variable_secret"));
  expect((await ask(["var", "list"])).value).toContainEqual({
    name: "KEY",
    secret: true,
    value: null,
  });
  const file = path.join(stage.folder, "seen-by-run");
  await stage.ramet(app, ["run", "--", "sh", "-c", `printf %s "$KEY" > '${file}'`]);
  expect(await readFile(file, "utf8")).toBe(SECRET);
});

test("a change restarts the environment's processes, and one that changes nothing for them restarts none", async () => {
  await ask(["env", "create", "second"]);
  await ask(["var", "set", "GREETING=hi", "--env", "second"]);
  await expectReady("second");
  const [before, neighbour] = [await readPids("development"), await readPids("second")];

  await ask(["var", "set", "PLAIN=one"]);
  await ask(["var", "import", "--from-file", await writeEnv("TODO_NAME=x\n"), "TODO_NAME"]);
  expect(await readPids("development")).toEqual(before);

  await ask(["var", "set", "PLAIN=two"]);
  await eventually(async () => {
    const after = await readPids("development");
    expect(after.every((pid, index) => pid !== null && pid !== before[index])).toBe(true);
  });
  await eventually(async () =>
    expect(await fetchJson(url)).toMatchObject({ plain: "two", todo: null }),
  );
  expect(await readPids("second")).toEqual(neighbour);
});

test("a fork has no variables; import brings names alone unless values are asked for, and never a secret", async () => {
  expect((await ask(["var", "list", "--env", "second"])).value).toEqual([
    { name: "GREETING", secret: false, value: "hi" },
  ]);
  const second = ["--env", "second"];
  expect(await ask(["var", "import", "--from", "development", "PLAIN", "ZED", ...second])).toEqual({
    exitCode: 0,
    value: {
      imported: [
        { name: "PLAIN", secret: false, value: null },
        { name: "ZED", secret: false, value: null },
      ],
      skipped: [],
    },
  });
  expect(await ask(["var", "get", "PLAIN", ...second])).toEqual({
    exitCode: 0,
    value: { name: "PLAIN", value: null },
  });
  expect(
    await ask(["var", "import", "--from", "development", "--all", "--include-values", ...second]),
  ).toMatchObject({ exitCode: 0, value: { skipped: ["KEY"] } });
  await expectReady("second");
  const listed = (await ask(["var", "list", ...second])).value;
  expect(listed).toContainEqual({ name: "PLAIN", secret: false, value: "two" });
  expect(listed).not.toContainEqual(expect.objectContaining({ name: "KEY" }));
  await eventually(async () =>
    expect(await fetchJson((await show("second")).url ?? "")).toMatchObject({
      plain: "two",
      keyLength: null,
      base: "at second",
    }),
  );
});

test("a file is imported as dotenv spells it; what Ramet sets itself is passed over", async () => {
  const file = await writeEnv('# a comment\nexport QUOTED="two\nlines"\nPORT=99\nBARE=x # y\n');
  const ran = await ask(["var", "import", "--from-file", file, "--all", "--include-values"]);
  expect(ran).toEqual({
    exitCode: 0,
    value: {
      imported: [
        { name: "BARE", secret: false, value: "x" },
        { name: "QUOTED", secret: false, value: "two\nlines" },
      ],
      skipped: ["PORT"],
    },
  });
  const { stdout } = await stage.ramet(app, ["var", "import", "--from-file", file, "--all"]);
  expect(stdout).toContain("Ramet sets these itself: PORT");
});

test.each<[argv: readonly string[], code: string]>([
  [["var", "import", "--from", "development"], "choice_missing"],
  [["var", "import", "--all"], "choice_missing"],
  [["var", "import", "--from", "development", "--all", "PLAIN"], "flags_exclusive"],
  [["var", "import", "--from", "development", "--from-file", ".env", "--all"], "flags_exclusive"],
  [["var", "import", "--from", "nowhere", "--all"], "environment_unknown"],
  [["var", "import", "--from", "second", "NOT_THERE"], "variable_missing_in_source"],
  [["var", "import", "--from-file", "not-there", "--all"], "file_unreadable"],
  [["var", "import", "--from-file", ".", "--all"], "file_unreadable"],
  [["var", "set"], "argument_missing"],
  [["var", "set", "NAME"], "variable_value_missing"],
  [["var", "set", "=x"], "variable_value_missing"],
  [["var", "set", "GOOD=1", "BAD NAME=2"], "variable_name_invalid"],
  [["var", "set", "GOOD=1", "RAMET_X=2"], "variable_reserved"],
  [["var", "set", "GOOD=a\0b"], "variable_value_invalid"],
  [["var", "delete"], "choice_missing"],
  [["var", "delete", "--all", "PLAIN", "--force"], "flags_exclusive"],
  [["var", "delete", "PLAIN"], "confirmation_needed"],
  [["var", "get"], "argument_missing"],
  [["var", "get", "PLANE"], "variable_unknown"],
])("ramet %j is refused as %s, and changes nothing", async (argv, code) => {
  const before = await ask(["var", "list"]);
  expect(await ask(argv)).toEqual(problem(code));
  expect(await ask(["var", "list"])).toEqual(before);
});

test("a value that no process could be given is refused", async () => {
  expect(await ask(["var", "set", `GOOD=${"x".repeat(70_000)}`])).toEqual(
    problem("variable_value_invalid"),
  );
});

test("delete takes what is named, with --force also what may not be there, and with --all everything", async () => {
  expect(await ask(["var", "delete", "ZED", "NOT_THERE", "--force"])).toEqual({
    exitCode: 0,
    value: { deleted: ["ZED"] },
  });
  expect(await ask(["var", "delete", "GREETING", "--force"])).toMatchObject({ exitCode: 0 });
  await eventually(async () =>
    expect(await show("development")).toMatchObject({
      processes: [{ state: "waiting" }, { state: "waiting" }],
      problems: [{ code: "variable_missing" }],
    }),
  );
  expect(await ask(["var", "delete", "--all", "--force"])).toMatchObject({
    exitCode: 0,
    value: { deleted: expect.arrayContaining(["BARE", "KEY", "PLAIN", "QUOTED", "TODO_NAME"]) },
  });
  expect((await ask(["var", "list"])).value).toEqual([]);
});

test("a secret's value stands nowhere: in no file of the server, no log, nothing that was printed", async () => {
  await ask(["var", "set", "KEY", "--secret"], SECRET);
  await ask(["var", "set", "GREETING=again"]);
  await expectReady("development");
  await ask(["env", "show", "development"]);
  await ask(["doctor"]);
  await ask(["logs"]);
  await ask(["server", "logs"]);
  const files = [
    ...(await listFiles(stage.home)),
    ...(await listFiles(path.join(stage.home, "shared"))),
  ];
  expect(files.filter((file) => path.basename(file) === "variables.json").length).toBeGreaterThan(
    0,
  );
  const holding = [];
  for (const file of files) if ((await readIfThere(file)).includes(SECRET)) holding.push(file);
  expect(holding).toEqual([]);
  expect(printed.filter((text) => text.includes(SECRET))).toEqual([]);
});

let written = 0;

async function writeEnv(text: string): Promise<string> {
  written += 1;
  const file = path.join(stage.folder, `${written}.env`);
  await writeFile(file, text);
  return file;
}

/** A database's own files come and go. */
async function readIfThere(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  }
}

/** The files below a folder, but for the programs of PostgreSQL. */
async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(`${folder}/`, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => !file.includes(`${path.sep}bin${path.sep}postgres${path.sep}`));
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}
