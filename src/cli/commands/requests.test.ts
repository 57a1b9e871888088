import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../../base/write-atomically.ts";
import { CREATED, ENVIRONMENT, LINE, VARIABLES } from "../fixtures/answers.ts";
import { send } from "../fixtures/call-server.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

const BOUND = { app: "shop", environment: "agent" };
const TRANSFER = { ...BOUND, files: ENVIRONMENT.files, changed: [], displaced: null };
const SAME = {
  local: [],
  remote: [],
  conflicts: [],
  absent: { local: [], remote: [] },
  unread: [],
};

const RESULTS = {
  "app.list": [{ name: "shop", environments: ["development"], createdAt: "" }],
  "app.delete": { app: "shop", deleted: ["development"] },
  "environment.list": [ENVIRONMENT],
  "environment.use": [],
  "environment.start": ENVIRONMENT,
  "environment.reset": CREATED,
  "environment.create": CREATED,
  "environment.stop": ENVIRONMENT,
  "environment.delete": { app: "shop", name: "x", folder: null },
  "variable.list": VARIABLES,
  "variable.set": [],
  "variable.delete": { deleted: [] },
  "variable.import": { imported: [], skipped: [] },
  "files.push": TRANSFER,
  "files.pull": TRANSFER,
  "files.status": { ...BOUND, files: ENVIRONMENT.files, ...SAME },
  "database.query": { columns: [], rows: [], count: null },
  "database.size": { database: "shop", bytes: 1, ownBytes: null, tables: [] },
  doctor: { capabilities: {}, leftovers: [], fixed: [] },
};

/** What a command line asks the server for at last, in a workspace that is bound to shop/agent. */
const REQUESTS: readonly [line: string, call: string, input: object][] = [
  ["app list", "app.list", {}],
  ["app delete Shop --force", "app.delete", { app: "shop" }],
  ["app delete shop -f", "app.delete", { app: "shop" }],
  ["env list", "environment.list", { app: "shop" }],
  ["env list --app Desk", "environment.list", { app: "desk" }],
  ["env list --all", "environment.list", { app: null }],
  ["envs ls", "environment.list", { app: "shop" }],
  ["top", "environment.use", { app: "shop" }],
  ["top --all --once", "environment.use", { app: null }],
  ["top --app Desk", "environment.use", { app: "desk" }],
  ["env show", "environment.show", { ...BOUND, measure: true }],
  ["env show X", "environment.show", { app: "shop", environment: "x", measure: true }],
  ["env show x -a desk", "environment.show", { app: "desk", environment: "x", measure: true }],
  ["env show -e x", "environment.show", { app: "shop", environment: "x", measure: true }],
  ["--app desk env show x", "environment.show", { app: "desk", environment: "x", measure: true }],
  ["env start", "environment.start", BOUND],
  ["env start x", "environment.start", { app: "shop", environment: "x" }],
  ["env unpause x", "environment.start", { app: "shop", environment: "x" }],
  ["env stop --env x", "environment.stop", { app: "shop", environment: "x" }],
  [
    "env reset --force X",
    "environment.reset",
    { app: "shop", environment: "x", from: null, undo: false },
  ],
  [
    "env reset x --from Staging -f",
    "environment.reset",
    { app: "shop", environment: "x", from: "staging", undo: false },
  ],
  [
    "env reset x --undo",
    "environment.reset",
    { app: "shop", environment: "x", from: null, undo: true },
  ],
  ["env delete x --force", "environment.delete", { app: "shop", environment: "x" }],
  ["env rm x -f", "environment.delete", { app: "shop", environment: "x" }],
  ["var list", "variable.list", BOUND],
  ["vars ls --env x", "variable.list", { app: "shop", environment: "x" }],
  [
    "var set A=1 B=a=b",
    "variable.set",
    {
      ...BOUND,
      variables: [
        { name: "A", value: "1" },
        { name: "B", value: "a=b" },
      ],
      secret: false,
    },
  ],
  [
    "var set A= --secret",
    "variable.set",
    { ...BOUND, variables: [{ name: "A", value: "" }], secret: true },
  ],
  ["var delete A B -f", "variable.delete", { ...BOUND, names: ["A", "B"], ignoreMissing: true }],
  ["var delete --all --force", "variable.delete", { ...BOUND, names: null, ignoreMissing: true }],
  [
    "var import --from Dev --all",
    "variable.import",
    {
      ...BOUND,
      source: { kind: "environment", name: "dev" },
      names: null,
      includeValues: false,
    },
  ],
  [
    "var import --from dev A B --include-values",
    "variable.import",
    {
      ...BOUND,
      source: { kind: "environment", name: "dev" },
      names: ["A", "B"],
      includeValues: true,
    },
  ],
  ["push", "files.push", { ...BOUND, force: false }],
  ["push -f", "files.push", { ...BOUND, force: true }],
  ["pull --force", "files.pull", { ...BOUND, force: true }],
  ["status", "files.status", BOUND],
  ["db query select", "database.query", { ...BOUND, sql: "select" }],
  ["db size", "database.size", BOUND],
  ["doctor", "doctor", { fix: false }],
  ["doctor --fix", "doctor", { fix: true }],
];

test.each(REQUESTS)("ramet %s asks for %s", async (line, call, input) => {
  await world.bind();
  const { calls } = await world.serve(RESULTS);
  const { exitCode, err } = await world.ramet([...line.split(" "), "--quiet"]);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  expect(calls.at(-1)?.name).toBe(call);
  expect(calls.at(-1)?.input).toMatchObject(input);
});

test.each([
  ["env show", { ...BOUND, measure: true }],
  ["push", BOUND],
  ["db url", BOUND],
])(
  "ramet %s is told which environment it is, its bytes counted for env show alone",
  async (line, input) => {
    await world.bind();
    const { calls } = await world.serve(RESULTS);
    await world.ramet([...line.split(" "), "--quiet"]);
    const shown = calls.filter(({ name }) => name === "environment.show");
    expect(shown[0]?.input).toEqual(input);
  },
);

test.each<[line: string, code: string]>([
  ["env show x --env y", "flags_exclusive"],
  ["env start x -e y", "flags_exclusive"],
  ["db url x --env y", "flags_exclusive"],
  ["env list --all --app shop", "flags_exclusive"],
  ["logs --last x", "flag_invalid"],
  ["logs -n 100001", "flag_invalid"],
  ["server logs -n 10001", "flag_invalid"],
  ["env create x --files copied", "flag_invalid"],
  ["env create x --from ../y", "name_invalid"],
  ["env create -- -x", "name_invalid"],
  ["env show --env a_b", "name_invalid"],
  ["app delete A_B --force", "name_invalid"],
  ["var delete --all A --force", "flags_exclusive"],
  ["var import --all", "choice_missing"],
  ["var import --from x", "choice_missing"],
  ["db query", "argument_missing"],
  ["run", "argument_missing"],
  ["dev nowhere", "folder_missing"],
])("ramet %s is refused as %s before the server is asked for it", async (line, code) => {
  await world.bind();
  const { calls } = await world.serve({ ...RESULTS, "environment.create": ENVIRONMENT });
  const [words = "", after] = line.split(" -- ");
  const argv = ["--json", ...words.split(" "), ...(after === undefined ? [] : ["--", after])];
  const { out } = await world.ramet(argv);
  expect(JSON.parse(out)).toMatchObject({ problem: { code } });
  const changing = calls.filter(({ name }) => name !== "environment.show" && name !== "app.list");
  expect(changing).toEqual([]);
});

test("logs ask for what is there, of which process, and whether to go on", async () => {
  await world.bind();
  const { calls } = await world.serveWith(({ name }, response) =>
    name === "environment.show"
      ? send(response, { result: ENVIRONMENT })
      : send(response, { line: LINE }, { result: {} }),
  );
  await world.ramet(["logs"]);
  const all = { ...BOUND, process: null, access: false, since: null, level: null, grep: null };
  expect(calls.at(-1)?.input).toEqual({ ...all, follow: false, last: 200 });
  await world.ramet(["logs", "-f", "-p", "web", "-n", "7"]);
  expect(calls.at(-1)?.input).toEqual({ ...all, process: "web", follow: true, last: 7 });
  await world.ramet([
    "logs",
    "--access",
    "--level",
    "WARN",
    "--grep",
    "a|b",
    "--since",
    "2026-01-02",
  ]);
  const since = "2026-01-02T00:00:00.000Z";
  const some = { ...all, access: true, level: "warn", grep: "a|b", since };
  expect(calls.at(-1)?.input).toEqual({ ...some, follow: false, last: 200 });
});

test("dev says where the environment is and streams its lines, of another folder's workspace too", async () => {
  await world.bind();
  const linked = { ...ENVIRONMENT, files: { kind: "linked", path: world.workspace } };
  const { calls } = await world.serveWith(({ name }, response) =>
    name === "environment.show"
      ? send(response, { result: linked })
      : send(response, { line: LINE }, { result: {} }),
  );
  const here = await world.ramet(["dev"]);
  expect(here).toMatchObject({ exitCode: 0, out: "web │ hello\n" });
  expect(here.err).toBe(`shop/agent  ${ENVIRONMENT.url}\n`);
  const there = await world.ramet(["dev", "work"], { folder: world.folder });
  expect(there).toEqual(here);
  const input = { ...BOUND, workspace: null, prefer: null };
  expect(calls.at(-1)).toMatchObject({ name: "environment.develop", input });
});

test("var import of a file that cannot be one is refused before anything is sent", async () => {
  await world.bind();
  const { calls } = await world.serve(RESULTS);
  const large = `${world.workspace}/large.env`;
  await writeAtomically(large, "A=".padEnd(1024 * 1024 + 1, "x"));
  for (const file of [large, `${world.workspace}/none`, world.workspace]) {
    expect(await world.json(["var", "import", "--from-file", file, "--all"])).toMatchObject({
      problem: { code: "file_unreadable" },
    });
  }
  expect(calls.filter(({ name }) => name === "variable.import")).toEqual([]);
});

test("what was imported, what does not move, and what Ramet sets itself is said", async () => {
  await world.bind();
  const imported = [{ name: "A", secret: false, value: "1" }];
  await world.serve({ ...RESULTS, "variable.import": { imported, skipped: ["KEY", "PORT"] } });
  expect((await world.ramet(["var", "import", "--from", "dev", "--all"])).out).toBe(
    "✓ 1 variable imported\n! Secrets do not move, set them anew: KEY\n! Ramet sets these itself: PORT\n",
  );
});

test("lists that are empty say what to do first", async () => {
  await world.bind();
  await world.serve({ ...RESULTS, "app.list": [], "environment.list": [], "variable.list": [] });
  expect((await world.ramet(["app", "list"])).out).toContain("ramet init");
  expect((await world.ramet(["env", "list"])).out).toContain("ramet init");
  expect((await world.ramet(["var", "list"])).out).toBe("No variable is set.\n");
  for (const line of ["app list", "env list", "var list"])
    expect(await world.json(line.split(" "))).toEqual([]);
});

test("a status names the files by the side that changed them, and not more than can be read", async () => {
  await world.bind();
  const local = Array.from({ length: 60 }, (_, index) => `file-${index}`);
  const absent = { local: ["file-0", "both\u001b[2J"], remote: ["file-1"] };
  const rest = { conflicts: ["both\u001b[2J"], absent, unread: ["locked"] };
  const status = { ...RESULTS["files.status"], local, ...rest };
  await world.serve({ ...RESULTS, "files.status": status });
  const { out } = await world.ramet(["status"]);
  expect(out).toContain("Changed here, for `ramet push`:\n  - file-0\n  + file-1\n  ~ file-2\n");
  expect(out).toContain("  … and 10 more");
  expect(out).not.toContain("file-50");
  expect(out).not.toContain("for `ramet pull`");
  expect(out).toMatch(/to settle with --force:\n {2}- both \(removed here\)\n/);
  expect(out).toMatch(/not compared:\n {4}locked\n/);
  await world.serve(RESULTS);
  expect((await world.ramet(["status"])).out).toBe(
    "shop/agent has the same files as this workspace.\n",
  );
});

test("deletes say what is gone", async () => {
  await world.bind();
  await world.serve(RESULTS);
  expect((await world.ramet(["env", "delete", "x", "--force"])).out).toBe("✓ shop/x is deleted\n");
  expect((await world.ramet(["app", "delete", "shop", "--force"])).out).toBe(
    "✓ shop is deleted, with 1 environment\n",
  );
  await world.serve({ ...RESULTS, "variable.delete": { deleted: ["A", "B"] } });
  expect((await world.ramet(["var", "delete", "A", "B", "--force", "--env", "x"])).out).toContain(
    "✓ 2 variables deleted",
  );
});
