import { mkdir } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createRepository, git } from "../../../test/git.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { findWorkspace } from "../../workspace/workspace.ts";
import { CREATED, ENVIRONMENT } from "../fixtures/answers.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

let world: World;
let root: string;
let web: string;

/** A repository with an app in one of its folders. */
beforeEach(async () => {
  world = await createWorld();
  root = world.workspace;
  web = path.join(root, "packages", "web");
  await createRepository(root);
  await mkdir(path.join(web, "src"), { recursive: true });
  await writeAtomically(
    path.join(web, "package.json"),
    JSON.stringify({ name: "web", scripts: { dev: "node ." } }),
  );
  await git(root, "add", "-A");
  await git(root, "commit", "--quiet", "--message=Web");
});

afterEach(() => world.close());

function linkedTo(folder: string): { kind: "linked"; path: string } {
  return { kind: "linked", path: folder };
}

test("init in a folder of a repository makes an app of that folder, and binds the whole worktree", async () => {
  const { calls } = await world.serve({ "app.create": { ...CREATED, files: linkedTo(web) } });
  expect(await world.ramet(["init"], { folder: path.join(web, "src") })).toMatchObject({
    exitCode: 0,
  });
  expect(calls[0]).toMatchObject({ name: "app.create", input: { app: "web", folder: web } });
  expect((await findWorkspace(root)).binding).toMatchObject({ environment: "agent" });
  expect((await findWorkspace(web)).root).toBe(root);
});

test("init of a second app in a bound worktree is refused before anything is made", async () => {
  await world.bind(root);
  const { calls } = await world.serve({
    "app.list": [{ name: "shop", environments: ["development", "agent"], createdAt: "" }],
  });
  expect(await world.json(["init"], { folder: web })).toMatchObject({
    problem: { code: "workspace_bound", message: expect.stringContaining("shop/agent") },
  });
  expect(calls.map(({ name }) => name)).toEqual(["app.list"]);
});

test("a binding to what is gone keeps no app from being made", async () => {
  await world.bind(root);
  await world.serve({
    "app.list": [{ name: "shop", environments: ["development"], createdAt: "" }],
    "app.create": { ...CREATED, app: "web", files: linkedTo(web) },
  });
  expect(await world.ramet(["init"], { folder: web })).toMatchObject({ exitCode: 0 });
  expect((await findWorkspace(root)).binding).toMatchObject({ app: "web" });
});

test("a worktree's new environment runs on the folder that the app is in, wherever the person stands", async () => {
  const worktree = path.join(world.folder, "agent");
  await git(root, "worktree", "add", "--quiet", worktree);
  const inner = path.join(worktree, "packages", "web");
  const { calls } = await world.serve({
    "environment.show": { ...ENVIRONMENT, name: "development", files: linkedTo(web) },
    "environment.create": { ...CREATED, files: linkedTo(inner) },
  });
  const argv = ["env", "create", "agent", "--use", "--app", "shop"];
  expect(await world.ramet(argv, { folder: worktree })).toMatchObject({ exitCode: 0 });
  expect(calls.find(({ name }) => name === "environment.create")?.input).toMatchObject({
    files: linkedTo(inner),
  });
  expect((await findWorkspace(worktree)).binding).toMatchObject({ environment: "agent" });
});

test("a worktree without that folder is told so, and nothing is made", async () => {
  const worktree = path.join(world.folder, "old");
  await git(root, "worktree", "add", "--quiet", worktree, "HEAD~1");
  const { calls } = await world.serve({
    "environment.show": { ...ENVIRONMENT, name: "development", files: linkedTo(web) },
  });
  const argv = ["env", "create", "agent", "--use", "--app", "shop"];
  expect(await world.json(argv, { folder: worktree })).toMatchObject({
    problem: {
      code: "app_folder_missing",
      message: expect.stringContaining(path.join("packages", "web")),
    },
  });
  expect(calls.map(({ name }) => name)).toEqual(["environment.show"]);
});

test.each(["push", "pull", "status"])(
  "%s is of the app's folder, not of the whole repository",
  async (command) => {
    await world.bind(root);
    const { calls } = await world.serve({
      "environment.show": { ...ENVIRONMENT, name: "development", files: linkedTo(web) },
    });
    await world.ramet([command], { folder: root });
    expect(calls.at(-1)).toMatchObject({ name: `files.${command}`, input: { workspace: web } });
  },
);

test("an app that is the whole of a clone is the whole of this one", async () => {
  const clone = path.join(world.folder, "clone");
  await git(world.folder, "clone", "--quiet", root, clone);
  await world.bind(clone);
  const { calls } = await world.serve({
    "environment.show": { ...ENVIRONMENT, name: "development", files: linkedTo(root) },
  });
  await world.ramet(["push"], { folder: path.join(clone, "packages") });
  expect(calls.at(-1)).toMatchObject({ name: "files.push", input: { workspace: clone } });
});

test("a clone's folder finds its app by the same folder of what it was cloned from", async () => {
  const clone = path.join(world.folder, "clone");
  await git(world.folder, "clone", "--quiet", root, clone);
  const { calls } = await world.serveWith(({ name, input }, response) => {
    const isWeb = JSON.stringify(input).includes(`"folder":"${web}"`);
    const results: Readonly<Record<string, unknown>> = {
      "app.find": { app: isWeb ? "shop" : null, environment: null },
      "environment.list": [ENVIRONMENT],
    };
    response.end(`${JSON.stringify({ result: results[name] })}\n`);
  });
  const folder = path.join(clone, "packages", "web");
  expect(await world.json(["env", "list"], { folder })).toEqual([ENVIRONMENT]);
  expect(calls.at(-1)).toMatchObject({ name: "environment.list", input: { app: "shop" } });
});

test("use in a folder of the workspace binds an environment that runs on another folder of it", async () => {
  await world.serve({ "environment.show": { ...ENVIRONMENT, files: linkedTo(web) } });
  const ran = await world.ramet(["env", "use", "agent", "--app", "shop"], { folder: root });
  expect(ran).toMatchObject({ exitCode: 0 });
  expect((await findWorkspace(root)).binding).toMatchObject({ environment: "agent" });
});

test("a list marks this workspace's environment, and its JSON stays a bare array", async () => {
  const other = { ...ENVIRONMENT, name: "other", id: "ponmlkjihgfedcba" };
  await world.bind(root);
  await world.serve({ "environment.list": [other, ENVIRONMENT] });
  const { out } = await world.ramet(["env", "list"]);
  expect(out.split("\n")[1]).not.toContain("(here)");
  expect(out.split("\n")[2]).toContain("agent (here)");
  expect(await world.json(["env", "list"])).toEqual([other, ENVIRONMENT]);
});
