import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../src/base/remove-inside.ts";
import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

const SERVER = [
  'import { createServer } from "node:http";',
  'import { readFileSync } from "node:fs";',
  "const answer = () => ({ environment: process.env.RAMET_ENV, folder: process.cwd(),",
  '  page: readFileSync("page.txt", "utf8") });',
  "createServer((_request, response) => response.end(JSON.stringify(answer())))",
  "  .listen(process.env.PORT, process.env.HOST);",
].join("\n");

let stage: Stage;
let app: string;

beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "site");
  await writeApp(app, "site");
  await commit(app);
  await stage.json(app, ["init"]);
});
afterAll(async () => stage.close());

/** One process, no database: what is looked at here is who is bound to what. */
async function writeApp(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const processes = { web: { command: "node server.mjs", ready: { http: "/" }, reload: true } };
  const manifest = { app: name, database: false, processes };
  await writeFile(path.join(folder, "ramet.json"), JSON.stringify(manifest));
  await writeFile(path.join(folder, "server.mjs"), SERVER);
  await writeFile(path.join(folder, "page.txt"), name);
}

async function commit(root: string): Promise<void> {
  await stage.git(root, "init", "-q", "-b", "main");
  await stage.git(root, "add", "-A");
  await stage.git(root, "commit", "-qm", "All");
}

async function problemOf(folder: string, argv: readonly string[]): Promise<unknown> {
  const { exitCode, stdout } = await stage.ramet(folder, ["--json", ...argv]);
  expect(exitCode).toBe(2);
  const { problem }: { problem?: unknown } = Object(JSON.parse(stdout));
  return problem;
}

/** Its URL answers for the environment, from this folder. */
async function expectAt(made: unknown, environment: string, folder: string): Promise<void> {
  const url = typeof made === "object" && made !== null && "url" in made ? String(made.url) : "";
  await eventually(async () => expect(await fetchJson(url)).toMatchObject({ environment, folder }));
}

const isBound = async (root: string): Promise<boolean> =>
  exists(path.join(root, ".ramet", "environment.json"));

test("a worktree inside the main checkout never finds the outer binding, and gets one of its own", async () => {
  const inner = path.join(app, "worktrees", "inner");
  await stage.git(app, "worktree", "add", "-q", inner);
  for (const argv of [["env", "show"], ["var", "list"], ["push"], ["db", "url"]])
    expect(await problemOf(inner, argv)).toMatchObject({ code: "environment_unbound" });

  const made = await stage.json(inner, ["env", "create", "inner", "--use"]);

  expect(made).toMatchObject({ parent: "development", files: { kind: "linked", path: inner } });
  await expectAt(made, "inner", inner);
  const below = path.join(inner, "deep", "down");
  await mkdir(below, { recursive: true });
  expect(await stage.json(below, ["env", "show"])).toMatchObject({ name: "inner" });
  expect(await stage.json(app, ["env", "show"])).toMatchObject({ name: "development" });
  expect(await stage.git(inner, "status", "--porcelain")).toBe("");

  expect(await stage.json(inner, ["env", "delete", "inner", "--force"])).toEqual({
    app: "site",
    name: "inner",
    folder: inner,
  });
  expect(await isBound(inner)).toBe(false);
  expect(await readFile(path.join(inner, "page.txt"), "utf8")).toBe("site");
});

test("an environment that is deleted from elsewhere takes its workspace's binding along", async () => {
  const worktree = path.join(stage.folder, "elsewhere");
  await stage.git(app, "worktree", "add", "-q", worktree);
  await stage.json(worktree, ["env", "create", "elsewhere", "--use"]);
  await stage.json(app, ["env", "delete", "elsewhere", "--force"]);
  await eventually(async () => expect(await isBound(worktree)).toBe(false));
  expect(await problemOf(worktree, ["env", "show"])).toMatchObject({ code: "environment_unbound" });
});

test("a separate clone finds its app, and forks what its origin is bound to", async () => {
  const clone = path.join(stage.folder, "clone");
  await stage.git(stage.folder, "clone", "-q", app, clone);
  expect(await problemOf(clone, ["env", "show"])).toMatchObject({ code: "environment_unbound" });
  expect(await stage.json(clone, ["env", "list"])).toMatchObject([{ name: "development" }]);
  const made = await stage.json(clone, ["env", "create", "clone", "--use"]);
  await expectAt(made, "clone", clone);
  await stage.json(clone, ["env", "delete", "clone", "--force"]);
  expect(await isBound(clone)).toBe(false);
});

test("a binding to an environment that is gone is told as that, also when another has its name now; a new one is made in its place", async () => {
  const clone = path.join(stage.folder, "stale");
  await stage.git(stage.folder, "clone", "-q", app, clone);
  await stage.json(app, ["env", "create", "review"]);
  await stage.json(clone, ["env", "use", "review"]);
  await stage.json(app, ["env", "delete", "review", "--force"]);

  const stale = { code: "binding_stale", message: expect.stringContaining("site/review") };
  for (const argv of [["env", "show"], ["push"], ["logs"], ["run", "--", "true"]])
    expect(await problemOf(clone, argv)).toMatchObject(stale);
  await stage.json(app, ["env", "create", "review"]);
  for (const argv of [
    ["push", "--force"],
    ["var", "set", "A=1"],
    ["env", "stop"],
  ])
    expect(await problemOf(clone, argv)).toMatchObject(stale);
  expect(await stage.json(app, ["var", "list", "--env", "review"])).toEqual([]);

  const made = await stage.json(clone, ["env", "create", "fresh", "--use"]);
  expect(made).toMatchObject({ files: { path: clone } });
  expect(await stage.json(clone, ["env", "show"])).toMatchObject({ name: "fresh" });
  for (const name of ["fresh", "review"]) await stage.json(app, ["env", "delete", name, "--force"]);
});

test("a folder without git is a workspace too, from below it and not beside it", async () => {
  const plain = path.join(stage.folder, "plain");
  await writeApp(plain, "plain");
  const made = await stage.json(plain, ["init"]);
  expect(made).toMatchObject({ app: "plain", files: { kind: "linked", path: plain } });
  await expectAt(made, "development", plain);
  await mkdir(path.join(plain, "src"));
  expect(await stage.json(path.join(plain, "src"), ["env", "show"])).toMatchObject({
    app: "plain",
  });
  const copy = path.join(stage.folder, "plain-copy");
  await mkdir(copy);
  await cp(path.join(plain, "ramet.json"), path.join(copy, "ramet.json"));
  expect(await problemOf(copy, ["env", "show"])).toMatchObject({ code: "environment_unbound" });
  await stage.json(plain, ["app", "delete", "plain", "--force"]);
  expect(await isBound(plain)).toBe(false);
});

test("with --app everything works from a folder that is nobody's", async () => {
  const nowhere = path.join(stage.folder, "nowhere");
  await mkdir(nowhere);
  const named = ["--app", "site"];
  const made = await stage.json(nowhere, ["env", "create", "script", ...named]);
  expect(made).toMatchObject({ app: "site", files: { kind: "kept" }, state: "awake" });
  expect(await stage.json(nowhere, ["env", "list", ...named])).toHaveLength(2);
  const target = [...named, "--env", "script"];
  expect(await stage.json(nowhere, ["var", "set", "A=1", ...target])).toHaveLength(1);
  const seen = path.join(nowhere, "seen");
  await stage.ramet(nowhere, ["run", ...target, "--", "sh", "-c", 'echo "$RAMET_ENV $A" > seen']);
  expect(await readFile(seen, "utf8")).toBe("script 1\n");
  expect(await isBound(nowhere)).toBe(false);
  expect(await problemOf(nowhere, ["env", "show", ...named])).toMatchObject({
    code: "environment_unbound",
  });
  await stage.json(nowhere, ["env", "delete", "script", "--force", ...named]);
});

test("an app that is a folder of its repository runs there in every worktree, wherever the person stands", async () => {
  const mono = path.join(stage.folder, "mono");
  const web = path.join(mono, "apps", "web");
  await writeApp(web, "web");
  await writeApp(path.join(mono, "apps", "admin"), "admin");
  await commit(mono);
  const first = await stage.json(web, ["init"]);
  expect(first).toMatchObject({ app: "web", files: { path: web } });
  await expectAt(first, "development", web);
  expect(await isBound(mono)).toBe(true);
  expect(await problemOf(path.join(mono, "apps", "admin"), ["init"])).toMatchObject({
    code: "workspace_bound",
  });

  const worktree = path.join(stage.folder, "mono-agent");
  await stage.git(mono, "worktree", "add", "-q", worktree);
  const made = await stage.json(worktree, ["env", "create", "agent", "--use"]);
  const inner = path.join(worktree, "apps", "web");
  expect(made).toMatchObject({ files: { kind: "linked", path: inner } });
  await expectAt(made, "agent", inner);
  expect(await stage.json(worktree, ["push"])).toMatchObject({ changed: [] });

  const kept = await stage.json(mono, ["env", "create", "kept"]);
  expect(kept).toMatchObject({ files: { kind: "kept" } });
  const clone = path.join(stage.folder, "mono-clone");
  await stage.git(stage.folder, "clone", "-q", mono, clone);
  await stage.json(clone, ["env", "use", "kept", "--app", "web"]);
  await writeFile(path.join(clone, "apps", "web", "page.txt"), "pushed");
  expect(await stage.json(clone, ["push"])).toMatchObject({ changed: ["page.txt"] });

  await stage.json(mono, ["app", "delete", "web", "--force"]);
  await eventually(async () => expect(await isBound(worktree)).toBe(false));
  expect(await isBound(mono)).toBe(false);
});

test("a member of npm's workspaces is told to be run from the root, and that works", async () => {
  const root = path.join(stage.folder, "packages");
  const web = path.join(root, "packages", "web");
  await writeApp(web, "web");
  await writeFile(path.join(web, "package.json"), JSON.stringify({ name: "web" }));
  const workspaces = { name: "root", workspaces: ["packages/*"] };
  await writeFile(path.join(root, "package.json"), JSON.stringify(workspaces));
  await commit(root);
  expect(await problemOf(web, ["init"])).toMatchObject({
    code: "packages_shared",
    remedy: expect.stringContaining('"folder": "packages/web"'),
  });
  const processes = { web: { command: "node server.mjs", folder: "packages/web" } };
  const manifest = { app: "packages", database: false, setup: false, processes };
  await writeFile(path.join(root, "ramet.json"), JSON.stringify(manifest));
  const made = await stage.json(root, ["init"]);
  await expectAt(made, "development", web);
});
