import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { doctorSchema, environmentSchema, logLineSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Ran, Stage } from "./stage.ts";

const MANIFEST = {
  app: "desk",
  processes: {
    web: { command: "node server.mjs", ready: { http: "/" } },
    talker: { command: "node talker.mjs", port: false, reload: true },
  },
};

const FILES = {
  "ramet.json": JSON.stringify(MANIFEST),
  "word.mjs": 'export const word = "first";\n',
  "server.mjs": [
    'import { createServer } from "node:http";',
    'import { word } from "./word.mjs";',
    "createServer((_request, response) => response.end(JSON.stringify({ word })))",
    '  .listen(process.env.PORT, process.env.HOST, () => console.log("web listens"));',
  ].join("\n"),
  "talker.mjs": [
    'console.error("to standard error");',
    "let count = 0;",
    // Bounded only by its end.
    "setInterval(() => console.log(`said ${(count += 1)}`), 200);",
  ].join("\n"),
};

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let stage: Stage;
let app: string;
let url: string;
let hasPsql: boolean;

beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "desk");
  await mkdir(app);
  for (const [name, text] of Object.entries(FILES)) await writeFile(path.join(app, name), text);
  url = environmentSchema.parse(await stage.json(app, ["init"])).url ?? "";
  hasPsql = (await stage.run(app, "sh", "-c", "command -v psql || true")) !== "";
});
afterAll(async () => stage.close());

async function show(): Promise<EnvironmentView> {
  return environmentSchema.parse(await stage.json(app, ["env", "show"]));
}

async function findPid(name: string): Promise<number | null> {
  return (await show()).processes.find((process) => process.name === name)?.pid ?? null;
}

/** What a shell's command writes, run with the environment's variables. */
async function runShell(script: string): Promise<{ ran: Ran; text: string }> {
  const out = path.join(stage.folder, "out");
  await writeFile(out, "");
  const ran = await stage.ramet(app, ["run", "--", "sh", "-c", `exec > '${out}'; ${script}`]);
  return { ran, text: await readFile(out, "utf8") };
}

/** Runs until the text has come, then stops as Ctrl-C does. */
async function runUntil(
  argv: readonly string[],
  isEnough: (stdout: string) => boolean | Promise<boolean>,
): Promise<Ran> {
  const controller = new AbortController();
  let seen = "";
  const ran = stage.ramet(app, argv, {
    signal: controller.signal,
    onStdout: (text) => {
      seen += text;
    },
  });
  try {
    await eventually(async () => expect(await isEnough(seen)).toBe(true), 40_000);
  } finally {
    controller.abort(new DOMException("Stopped.", "AbortError"));
  }
  return ran;
}

test("env show has every key of its contract, and env list the same ones in a bare array", async () => {
  const shown = {
    id: expect.stringMatching(/^[a-z2-7]{16}$/),
    app: "desk",
    name: "development",
    state: "awake",
    parent: null,
    url: expect.stringMatching(/^http:\/\/desk--development\.localhost:\d+$/),
    domainUrl: null,
    databaseUrl: expect.stringMatching(/^postgresql:\/\/[a-z2-7]{16}:[^@]+@[\d.]+:\d+\/desk$/),
    fronts: [],
    files: { kind: "linked", path: app },
    processes: [
      { name: "web", state: "ready", port: expect.any(Number), pid: expect.any(Number) },
      { name: "talker", state: "ready", port: null, pid: expect.any(Number) },
    ],
    problems: [],
    isolation: expect.any(String),
    limits: expect.objectContaining({ processes: 4096, diskBytes: null }),
    standbys: expect.any(Array),
    ownBytes: expect.any(Number),
    createdAt: expect.stringMatching(ISO_TIME),
    usedAt: expect.stringMatching(ISO_TIME),
    sleepsAt: expect.stringMatching(ISO_TIME),
    replacedUntil: null,
  };
  expect(await stage.json(app, ["env", "show"])).toEqual(shown);
  expect(await stage.json(app, ["env", "list"])).toEqual([shown]);
  expect(await stage.json(app, ["env", "list", "--all"])).toEqual([shown]);
  expect((await stage.ramet(app, ["env", "list"])).stdout).toContain("development (here)");
});

test("env create has the same keys, its timings and how its database was forked, and env use has neither", async () => {
  const made = await stage.json(app, ["env", "create", "other"]);
  const { timings, databaseFork, ...rest } = z
    .object({ timings: z.record(z.string(), z.unknown()), databaseFork: z.unknown() })
    .loose()
    .parse(made);
  expect(Object.keys(timings).toSorted().join(" ")).toBe("database files runtime steps total");
  expect(databaseFork).toMatchObject({ ms: timings["database"] });
  expect(Object.keys(Object(databaseFork)).toSorted()).toEqual([
    "bytes",
    "ms",
    "remedy",
    "way",
    "why",
  ]);
  expect(Object.keys(rest).toSorted()).toEqual(Object.keys(await show()).toSorted());
  const other = path.join(stage.folder, "elsewhere");
  await mkdir(other);
  const used = await stage.json(other, ["env", "use", "other", "--app", "desk"]);
  expect(Object.keys(Object(used)).toSorted()).toEqual(Object.keys(await show()).toSorted());
});

test("run gives the environment's variables over the caller's, and passes the exit code on", async () => {
  const { databaseUrl } = await show();
  const { ran, text } = await runShell(
    'echo "$DATABASE_URL"; echo "$RAMET_APP $RAMET_ENV $URL"; [ -n "$HOME" ]; exit 7',
  );
  expect(text).toBe(`${databaseUrl}\ndesk development ${url}\n`);
  expect(ran).toEqual({ exitCode: 7, stdout: "", stderr: "" });
});

test.each([
  ["TERM", 143],
  ["KILL", 137],
])("a command that SIG%s ended is 128 and the signal's number", async (signal, exitCode) => {
  expect((await runShell(`kill -${signal} $$; sleep 20`)).ran).toMatchObject({ exitCode });
});

test("a command that is not there, and none at all, are problems", async () => {
  const missing = await stage.ramet(app, ["run", "--json", "--", "no-such-program"]);
  expect(missing).toMatchObject({ exitCode: 2 });
  // Another answer where a folder of the PATH may not be entered.
  expect(missing.stdout).toMatch(/program_(missing|failed)/);
  expect((await stage.ramet(app, ["run", "--json"])).stdout).toContain("argument_missing");
});

test("flags after -- are the command's own", async () => {
  const out = path.join(stage.folder, "flags");
  const argv = ["run", "--", "sh", "-c", 'echo "$@" > "$0"', out, "--json", "--help", "--env", "x"];
  expect(await stage.ramet(app, argv)).toMatchObject({ exitCode: 0, stdout: "" });
  expect(await readFile(out, "utf8")).toBe("--json --help --env x\n");
});

test("db size tells the database and its tables, with rows and bytes", async () => {
  await stage.json(app, [
    "db",
    "query",
    "CREATE TABLE sized AS SELECT generate_series(1, 1000) AS n",
  ]);
  const bytes = expect.any(Number);
  expect(await stage.json(app, ["db", "size"])).toMatchObject({
    database: "desk",
    bytes,
    ownBytes: bytes,
    tables: [{ name: "public.sized", rows: 1000, isEstimate: false, bytes }],
  });
  const { stdout } = await stage.ramet(app, ["db", "size"]);
  expect(stdout).toMatch(/^TABLE {2}ROWS {3}SIZE\nsized {2}1,000 {2}\d+ kB\n/);
  await stage.json(app, ["db", "query", "DROP TABLE sized"]);
});

test("doctor says which PostgreSQL there is", async () => {
  const { capabilities } = doctorSchema.parse(await stage.json(app, ["doctor"]));
  expect(capabilities["postgres"]).toMatch(
    /^new databases: 18\S+, Ramet's own; \d made by 18\S+, Ramet's own$/,
  );
});

test("db url is what programs connect with, db query has columns, rows and a count", async () => {
  const { databaseUrl } = await show();
  expect(await stage.json(app, ["db", "url"])).toEqual({ databaseUrl });
  expect(await stage.json(app, ["db", "url", "development"])).toEqual({ databaseUrl });
  expect((await stage.ramet(app, ["db", "url"])).stdout).toBe(`${databaseUrl}\n`);
  const query = ["db", "query", "select 1 as one, null as nothing union all select 2, 'x'"];
  expect(await stage.json(app, query)).toEqual({
    columns: ["one", "nothing"],
    rows: [
      ["1", null],
      ["2", "x"],
    ],
    count: 2,
  });
  const input = "create table words (word text);";
  expect(await stage.json(app, ["db", "query", "-"], { input })).toEqual({
    columns: [],
    rows: [],
    count: null,
  });
});

test("db psql is psql with its own flags where it is installed, else a problem that says what to do", async () => {
  const out = path.join(stage.folder, "psql-out");
  await writeFile(out, "");
  const psql = ["db", "psql", "--json", "--", "-X", "-At"];
  const ran = await stage.ramet(app, [...psql, "-o", out, "-c", "select current_database()"]);
  const text = await readFile(out, "utf8");
  const code = /"code":"(\w+)"/.exec(ran.stdout)?.[1];
  expect([ran.exitCode, text, code]).toEqual(
    hasPsql ? [0, "desk\n", undefined] : [2, "", "tool_missing"],
  );
  const byRun = await runShell('psql -X -Atc "select 40 + 2" "$DATABASE_URL" || true');
  expect(byRun.text).toBe(hasPsql ? "42\n" : "");
});

test("logs are a bare array, of one process where it is asked for, at most so many", async () => {
  const lines = logLineSchema
    .strict()
    .array()
    .parse(await stage.json(app, ["logs"]));
  expect(lines).toContainEqual({
    time: expect.stringMatching(ISO_TIME),
    process: "talker",
    stream: "stderr",
    level: "error",
    message: "to standard error",
    fields: {},
    text: "to standard error",
  });
  const times = lines.map(({ time }) => time);
  expect(times).toEqual(times.toSorted());
  const web = logLineSchema.array().parse(await stage.json(app, ["logs", "--process", "web"]));
  expect(new Set(web.map(({ process }) => process))).toEqual(new Set(["web"]));
  expect(web.map(({ text }) => text)).toContain("web listens");
  expect(await stage.json(app, ["logs", "-n", "2"])).toHaveLength(2);
  expect(await stage.json(app, ["logs", "-n", "0"])).toEqual([]);
  const wrong = await stage.ramet(app, ["logs", "-n", "many", "--json"]);
  expect(wrong.stdout).toContain("flag_invalid");
});

test("logs -f --json are one object a line as they come, and stopping is success", async () => {
  const argv = ["logs", "-f", "--process", "talker", "-n", "1", "--json"];
  const ran = await runUntil(argv, (text) => text.split("\n").length > 4);
  expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
  const lines = ran.stdout.trimEnd().split("\n");
  const said = lines.map((line) => logLineSchema.strict().parse(JSON.parse(line)).text);
  const numbers = said.map((text) => Number(text.replace("said ", "")));
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? NaN) + index));
});

test("dev streams every process and restarts the one that does not reload by itself after an edit", async () => {
  const [web, talker] = [await findPid("web"), await findPid("talker")];
  let isEdited = false;
  const ran = await runUntil(["dev", "--json"], async (text) => {
    if (!text.includes('"said ')) return false;
    if (!isEdited) await writeFile(path.join(app, "word.mjs"), 'export const word = "second";\n');
    isEdited = true;
    const { word }: { word?: string } = Object(await fetchJson(url));
    return word === "second";
  });
  expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
  for (const line of ran.stdout.trimEnd().split("\n"))
    logLineSchema.strict().parse(JSON.parse(line));
  expect(await findPid("web")).not.toBe(web);
  expect(await findPid("talker")).toBe(talker);
});

test("dev for a person names each line's process; it wakes what sleeps", async () => {
  await stage.json(app, ["env", "stop"]);
  const ran = await runUntil(["dev"], (text) => /talker │ said/.test(text));
  expect(ran).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(url) });
  expect(await show()).toMatchObject({ state: "awake" });
});

test("env stop leaves no process, env start and env unpause wake it, each answers the environment", async () => {
  expect(await stage.json(app, ["env", "stop", "development"])).toMatchObject({
    state: "asleep",
    url,
    databaseUrl: expect.any(String),
    processes: [
      { name: "web", state: "stopped", pid: null },
      { name: "talker", state: "stopped", pid: null },
    ],
  });
  for (const verb of ["start", "unpause"]) {
    expect(await stage.json(app, ["env", verb])).toMatchObject({
      state: "awake",
      processes: [{ state: "ready" }, { state: "ready" }],
    });
    await stage.json(app, ["env", "stop"]);
  }
  expect(await fetchJson(url)).toEqual({ word: "second" });
});

test("open answers the address, of a process too, and opens nothing for a program", async () => {
  expect(await stage.json(app, ["open"])).toEqual({ url, opened: false });
  expect(await stage.json(app, ["open", "--process", "web"])).toEqual({
    url: url.replace("//", "//web."),
    opened: false,
  });
  expect(await fetchJson(url.replace("//", "//web."))).toEqual({ word: "second" });
  const unknown = await stage.ramet(app, ["open", "--process", "wbe", "--json"]);
  expect(unknown.stdout).toContain("Did you mean web?");
});
