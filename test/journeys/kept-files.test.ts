import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../src/base/remove-inside.ts";
import { environmentSchema, logLineSchema, trashSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Ran, Stage } from "./stage.ts";

const MANIFEST = {
  app: "paper",
  setup: "grep -c lockfileVersion package-lock.json",
  processes: {
    web: { command: "node server.mjs", ready: { http: "/" } },
    watcher: { command: "node --watch watcher.mjs", port: false },
  },
  database: { migrate: "ls migrations" },
};

const FILES = {
  "ramet.json": JSON.stringify(MANIFEST),
  "package.json": JSON.stringify({ name: "paper", type: "module" }),
  "package-lock.json": '{ "lockfileVersion": 3 }\n',
  "migrations/1-first.sql": "select 1;\n",
  "page.mjs": 'export const page = "first";\n',
  "watcher.mjs": "setInterval(() => {}, 1000);\n",
  "server.mjs": [
    'import { createServer } from "node:http";',
    'import { page } from "./page.mjs";',
    "createServer((_request, response) => response.end(JSON.stringify({ page })))",
    "  .listen(process.env.PORT, process.env.HOST);",
  ].join("\n"),
};

let stage: Stage;
let app: string;
let clone: string;
let kept: EnvironmentView;

beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "paper");
  await put(app, FILES);
  await stage.git(app, "init", "-q", "-b", "main");
  await stage.git(app, "add", "-A");
  await stage.git(app, "commit", "-qm", "Paper");
  await stage.json(app, ["init"]);
  clone = path.join(stage.folder, "clone");
  await stage.git(stage.folder, "clone", "-q", app, clone);
});
afterAll(async () => stage.close());

async function put(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

function page(text: string): Readonly<Record<string, string>> {
  return { "page.mjs": `export const page = ${JSON.stringify(text)};\n` };
}

async function show(): Promise<EnvironmentView> {
  return environmentSchema.parse(await stage.json(clone, ["env", "show"]));
}

async function findPids(): Promise<Readonly<Record<string, number | null>>> {
  const { processes } = await show();
  return Object.fromEntries(processes.map(({ name, pid }) => [name, pid]));
}

/** What a step printed, in all of its runs. */
async function readStep(name: "setup" | "migrate"): Promise<readonly string[]> {
  const lines = await stage.json(clone, ["logs", "--process", name]);
  return logLineSchema
    .array()
    .parse(lines)
    .filter(({ stream }) => stream === "stdout")
    .map(({ text }) => text);
}

async function readKept(name: string): Promise<string> {
  return readFile(path.join(kept.files.path, name), "utf8");
}

const NOTHING = { local: [], remote: [], conflicts: [], unread: [] };

test("without --use the server keeps a copy of the source's files, and this workspace stays bound as it was", async () => {
  const made = await stage.json(app, ["env", "create", "review"]);
  kept = environmentSchema.parse(made);
  expect(made).toMatchObject({
    name: "review",
    parent: "development",
    state: "awake",
    files: { kind: "kept" },
  });
  expect(await readKept("page.mjs")).toBe(FILES["page.mjs"]);
  expect(await exists(path.join(kept.files.path, ".git"))).toBe(false);
  expect(await fetchJson(kept.url ?? "")).toEqual({ page: "first" });
  expect(await stage.json(app, ["env", "show"])).toMatchObject({ name: "development" });
});

test("another clone is bound to it by env use, and status has every key of its contract", async () => {
  const used = await stage.json(clone, ["env", "use", "review"]);
  expect(used).toMatchObject({ name: "review", files: { kind: "kept" } });
  expect(await stage.json(clone, ["status"])).toEqual({
    app: "paper",
    environment: "review",
    files: kept.files,
    ...NOTHING,
    absent: { local: [], remote: [] },
  });
  expect(await stage.git(clone, "status", "--porcelain")).toBe("");
});

test("a push moves what was changed here; what it displaced can be found; only what does not reload is restarted", async () => {
  const before = await findPids();
  const setups = await readStep("setup");
  await put(clone, { ...page("second"), "extra/new.txt": "new\n" });
  expect(await stage.json(clone, ["status"])).toMatchObject({
    ...NOTHING,
    local: ["extra/new.txt", "page.mjs"],
  });

  const pushed = await stage.json(clone, ["push"]);

  expect(pushed).toEqual({
    app: "paper",
    environment: "review",
    files: kept.files,
    changed: ["extra/new.txt", "page.mjs"],
    displaced: expect.any(String),
  });
  expect(await readDisplaced(pushed, "page.mjs")).toBe(FILES["page.mjs"]);
  expect(await fetchJson(kept.url ?? "")).toEqual({ page: "second" });
  const after = await findPids();
  expect(after["web"]).not.toBe(before["web"]);
  expect(after["watcher"]).toBe(before["watcher"]);
  expect(await readStep("setup")).toEqual(setups);
  expect(await stage.json(clone, ["status"])).toMatchObject(NOTHING);
  expect(await readFile(path.join(app, "page.mjs"), "utf8")).toBe(FILES["page.mjs"]);
});

test("a push of nothing changes nothing, and restarts nothing", async () => {
  const before = await findPids();
  expect(await stage.json(clone, ["push"])).toMatchObject({ changed: [], displaced: null });
  expect(await findPids()).toEqual(before);
});

test("a pull brings what was changed there, and keeps what stood here", async () => {
  await put(kept.files.path, { "there.txt": "there\n", ...page("third") });
  expect(await stage.json(clone, ["status"])).toMatchObject({
    ...NOTHING,
    remote: ["page.mjs", "there.txt"],
  });

  const pulled = await stage.json(clone, ["pull"]);

  expect(pulled).toMatchObject({ changed: ["page.mjs", "there.txt"] });
  expect(await readFile(path.join(clone, "there.txt"), "utf8")).toBe("there\n");
  expect(await readDisplaced(pulled, "page.mjs")).toContain("second");
  const untracked = await stage.git(clone, "status", "--porcelain", "--untracked-files=all");
  expect(untracked).not.toContain(".ramet");
});

test("what was changed on both sides is a conflict with exit code 3; nothing moves until it is forced, and then it is kept", async () => {
  await put(clone, page("ours"));
  await put(kept.files.path, page("theirs"));
  expect(await stage.json(clone, ["status"])).toMatchObject({
    ...NOTHING,
    conflicts: ["page.mjs"],
  });
  for (const direction of ["push", "pull"]) {
    const ran = await stage.ramet(clone, [direction, "--json"]);
    expect(ran.exitCode).toBe(3);
    expect(JSON.parse(ran.stdout)).toEqual({
      problem: {
        code: "sync_conflict",
        message: expect.stringContaining("page.mjs"),
        remedy: expect.stringContaining("--force"),
      },
    });
  }
  expect(await readKept("page.mjs")).toContain("theirs");
  expect(await readFile(path.join(clone, "page.mjs"), "utf8")).toContain("ours");

  const forced = await stage.json(clone, ["push", "--force"]);

  expect(forced).toMatchObject({ changed: ["page.mjs"] });
  expect(await readDisplaced(forced, "page.mjs")).toContain("theirs");
  expect(await fetchJson(kept.url ?? "")).toEqual({ page: "ours" });
});

test("what was displaced is listed, the latest first, and is put back where it was", async () => {
  const listed = trashSchema.parse(await stage.json(clone, ["trash", "list"]));
  expect(listed[0]).toEqual({
    side: "environment",
    id: expect.any(String),
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    path: "page.mjs",
    kind: "file",
    bytes: page("theirs")["page.mjs"]?.length,
  });
  expect(listed.map(({ side }) => side)).toContain("workspace");
  const id = listed[0]?.id ?? "";
  expect((await stage.ramet(clone, ["trash", "list"])).stdout).toContain(id);

  const back = await stage.json(clone, ["trash", "restore", id, "page.mjs"]);

  const restored = [{ side: "environment", path: "page.mjs" }];
  expect(back).toEqual({ restored, displaced: [expect.any(String)] });
  expect(await readKept("page.mjs")).toContain("theirs");
  expect(await stage.json(clone, ["status"])).toMatchObject({ ...NOTHING, remote: ["page.mjs"] });
  await stage.json(clone, ["push", "--force"]);
});

test("a push of another lock file runs setup, and one of a migration runs the migrations", async () => {
  const setups = (await readStep("setup")).length;
  await put(clone, { "package-lock.json": '{ "lockfileVersion": 3, "packages": {} }\n' });
  await stage.json(clone, ["push"]);
  expect(await readStep("setup")).toHaveLength(setups + 1);

  await put(clone, { "migrations/2-second.sql": "select 2;\n" });
  await stage.json(clone, ["push"]);
  expect((await readStep("migrate")).slice(-2)).toEqual(["1-first.sql", "2-second.sql"]);
  expect(await readStep("setup")).toHaveLength(setups + 1);
});

test("a push whose setup fails leaves the environment broken and there, and the next one mends it", async () => {
  await put(clone, { "package-lock.json": "{}\n" });
  const ran = await stage.ramet(clone, ["push", "--json"]);
  expect(ran).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("setup_failed") });
  expect(await show()).toMatchObject({ state: "broken", problems: [{ code: "setup_failed" }] });

  await put(clone, { "package-lock.json": '{ "lockfileVersion": 3 }\n', ...page("mended") });
  await stage.json(clone, ["push"]);
  expect(await show()).toMatchObject({ state: "awake", problems: [] });
  await eventually(async () => expect(await fetchJson(kept.url ?? "")).toEqual({ page: "mended" }));
});

test("a push to one that sleeps is there when it wakes", async () => {
  await stage.json(clone, ["env", "stop"]);
  await put(clone, page("awoken"));
  await stage.json(clone, ["push"]);
  expect(await fetchJson(kept.url ?? "")).toEqual({ page: "awoken" });
});

test("while dev runs, an edit on either side is there on the other; a conflict stays, and is told by exit code 3", async () => {
  const stop = new AbortController();
  let seen = "";
  const onStdout = (text: string): void => {
    seen += text;
  };
  const running = stage.ramet(clone, ["dev"], { signal: stop.signal, onStdout });
  try {
    await put(clone, { ...page("live"), "made/here.txt": "here\n" });
    await eventually(async () => expect(await fetchJson(kept.url ?? "")).toEqual({ page: "live" }));
    await eventually(async () => expect(await readKept("made/here.txt")).toBe("here\n"));
    await put(kept.files.path, { "made/there.txt": "there\n" });
    const brought = path.join(clone, "made", "there.txt");
    await eventually(async () => expect(await readFile(brought, "utf8")).toBe("there\n"));
    expect(seen).toContain("→ environment: made/here.txt");
  } finally {
    stop.abort(new DOMException("Stopped.", "AbortError"));
  }
  expect((await running).exitCode).toBe(0);
  expect(await stage.json(clone, ["status"])).toMatchObject(NOTHING);
});

test("what both sides changed stays as it is while dev runs, until a side is preferred", async () => {
  await put(clone, { "made/here.txt": "ours\n" });
  await put(kept.files.path, { "made/here.txt": "theirs\n" });
  const first = await develop(["dev"], /✗ changed on both sides: made\/here.txt/);
  expect(first).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("made/here.txt") });
  expect(await readKept("made/here.txt")).toBe("theirs\n");
  const second = await develop(["dev", "--prefer", "local"], /→ environment: made\/here.txt/);
  expect(second).toMatchObject({ exitCode: 0 });
  expect(await readKept("made/here.txt")).toBe("ours\n");
});

test("on linked files push, pull and status say that there is nothing to move, and succeed", async () => {
  const about = { app: "paper", environment: "development", files: { kind: "linked", path: app } };
  await put(app, page("edited"));
  expect(await stage.json(app, ["push", "--force"])).toEqual({
    ...about,
    changed: [],
    displaced: null,
  });
  expect(await stage.json(app, ["pull"])).toEqual({ ...about, changed: [], displaced: null });
  expect(await stage.json(app, ["status"])).toMatchObject({ ...about, ...NOTHING });
  expect((await stage.ramet(app, ["push"])).stdout).toContain(app);
  expect(await stage.json(app, ["trash", "list"])).toEqual([]);
  const restored = await stage.ramet(app, ["trash", "restore", "x", "--json"]);
  expect(restored).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("trash_linked") });
});

test("a workspace that is bound to no environment, or names a linked one of another folder, moves nothing", async () => {
  const other = path.join(stage.folder, "other");
  await stage.git(stage.folder, "clone", "-q", app, other);
  const unbound = await stage.ramet(other, ["push", "--json"]);
  expect(unbound.stdout).toContain("environment_unbound");
  const elsewhere = await stage.ramet(other, ["push", "--env", "development", "--json"]);
  expect(elsewhere).toMatchObject({ exitCode: 2 });
  expect(elsewhere.stdout).toContain("environment_linked_elsewhere");
  expect(await readFile(path.join(app, "page.mjs"), "utf8")).toContain("edited");
});

test("deleting it takes the kept files and the binding, and leaves the workspace's files", async () => {
  const ran = await stage.json(clone, ["env", "delete", "review", "--force"]);
  expect(ran).toEqual({ app: "paper", name: "review", folder: null });
  expect(await exists(path.join(clone, ".ramet", "environment.json"))).toBe(false);
  expect(await readFile(path.join(clone, "page.mjs"), "utf8")).toContain("live");
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  expect(await exists(kept.files.path)).toBe(false);
});

/** Runs it until it has printed that. */
async function develop(argv: readonly string[], enough: RegExp): Promise<Ran> {
  const stop = new AbortController();
  let seen = "";
  const onStdout = (text: string): void => {
    seen += text;
  };
  const running = stage.ramet(clone, argv, { signal: stop.signal, onStdout });
  try {
    await eventually(async () => expect(seen).toMatch(enough));
  } finally {
    stop.abort(new DOMException("Stopped.", "AbortError"));
  }
  return running;
}

async function readDisplaced(transfer: unknown, name: string): Promise<string> {
  const isTransfer = typeof transfer === "object" && transfer !== null && "displaced" in transfer;
  if (!isTransfer || typeof transfer.displaced !== "string")
    throw new Error(`Nothing was displaced: ${JSON.stringify(transfer)}`);
  return readFile(path.join(transfer.displaced, name), "utf8");
}
