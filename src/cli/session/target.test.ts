import { mkdir } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createRepository, git } from "../../../test/git.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { parseAppName } from "../../environment/name.ts";
import { bindWorkspace, findWorkspace } from "../../workspace/workspace.ts";
import { createFolder, removeFolder } from "../fixtures/context.ts";
import { listSources, requireApp, requireTarget } from "./target.ts";
import type { TargetSources } from "./target.ts";

const HOME = "/home/ada/.ramet";
const NOTHING = { app: null, environment: null };

let folder: string;
let main: string;
let worktree: string;
let clone: string;

beforeEach(async () => {
  folder = await createFolder();
  main = path.join(folder, "Shop");
  worktree = path.join(folder, "agent");
  clone = path.join(folder, "clone");
  await mkdir(main);
  await createRepository(main);
  await git(main, "worktree", "add", "--quiet", worktree);
  await git(folder, "clone", "--quiet", main, clone);
});

afterEach(() => removeFolder(folder));

type World = {
  chosen?: TargetSources["chosen"];
  apps?: readonly string[];
  linked?: Readonly<Record<string, string>>;
};

function sourcesAt(
  root: string,
  { chosen = NOTHING, apps = [], linked = {} }: World = {},
): TargetSources {
  return {
    chosen,
    home: HOME,
    workspace: () => findWorkspace(root),
    listApps: () => Promise.resolve(apps),
    findAppOf: (inside) => Promise.resolve(linked[inside] ?? null),
  };
}

function bind(root: string, target: string, home = HOME): Promise<void> {
  const [app = "", environment = ""] = target.split("/");
  return bindWorkspace(root, { app, environment, id: "abcdefghijklmnop", home });
}

test("--app says the app, lower-cased, whatever the folder says", async () => {
  await bind(worktree, "other/x");
  expect(
    await requireApp(sourcesAt(worktree, { chosen: { app: "Shop", environment: null } })),
  ).toBe("shop");
});

test("a hostile --app is refused before anybody is asked", async () => {
  const sources = sourcesAt(worktree, { chosen: { app: "../x", environment: null } });
  await expect(requireApp(sources)).rejects.toMatchObject({ code: "name_invalid" });
});

test("the app is found from the surest sign to the faintest", async () => {
  const apps = ["by-package", "by-origin", "shop", "by-manifest"];
  await expect(requireApp(sourcesAt(clone, { apps: ["a", "b"] }))).rejects.toMatchObject({
    code: "app_unclear",
    remedy: expect.stringContaining("a, b"),
  });
  expect(await requireApp(sourcesAt(clone, { apps: ["only"] }))).toBe("only");
  expect(await requireApp(sourcesAt(main, { apps }))).toBe("shop");
  await writeAtomically(
    path.join(clone, "package.json"),
    JSON.stringify({ name: "@acme/By_Package" }),
  );
  expect(await requireApp(sourcesAt(clone, { apps }))).toBe("by-package");
  expect(await requireApp(sourcesAt(clone, { apps, linked: { [main]: "by-origin" } }))).toBe(
    "by-origin",
  );
  await writeAtomically(path.join(clone, "ramet.json"), JSON.stringify({ app: "by-manifest" }));
  expect(await requireApp(sourcesAt(clone, { apps, linked: { [main]: "by-origin" } }))).toBe(
    "by-manifest",
  );
  await bind(clone, "by-binding/x");
  expect(await requireApp(sourcesAt(clone, { apps }))).toBe("by-binding");
});

test("a worktree finds the app by its main worktree's binding, and by what that folder is linked to", async () => {
  expect(await requireApp(sourcesAt(worktree, { apps: ["a", "b"], linked: { [main]: "b" } }))).toBe(
    "b",
  );
  await bind(main, "a/development");
  expect(await requireApp(sourcesAt(worktree, { apps: ["a", "b"], linked: { [main]: "b" } }))).toBe(
    "a",
  );
});

test("a broken manifest only fails to name the app", async () => {
  await writeAtomically(path.join(worktree, "ramet.json"), "{");
  expect(await requireApp(sourcesAt(worktree, { apps: ["only"] }))).toBe("only");
});

test("no app at all is another problem's remedy than several", async () => {
  await expect(requireApp(sourcesAt(worktree))).rejects.toMatchObject({
    remedy: expect.stringContaining("ramet init"),
  });
});

test.each(["{", "[]", '{"name":1}', "null"])(
  "a package.json that holds %s names nothing",
  async (text) => {
    await writeAtomically(path.join(main, "package.json"), text);
    expect(await requireApp(sourcesAt(main, { apps: ["shop", "other"] }))).toBe("shop");
  },
);

test("the environment is --env, else what this workspace is bound to, never the main worktree's", async () => {
  await bind(main, "shop/development");
  await expect(requireTarget(sourcesAt(worktree))).rejects.toMatchObject({
    code: "environment_unbound",
  });
  const chosen = { app: null, environment: "X" };
  expect(await requireTarget(sourcesAt(worktree, { chosen }))).toEqual({
    app: "shop",
    environment: "x",
  });
  await bind(worktree, "shop/agent");
  expect(await requireTarget(sourcesAt(worktree))).toEqual({ app: "shop", environment: "agent" });
});

test("a binding to one app says nothing about the environment of another", async () => {
  await bind(worktree, "shop/agent");
  const other = sourcesAt(worktree, { chosen: { app: "other", environment: null } });
  await expect(requireTarget(other)).rejects.toMatchObject({ code: "environment_unbound" });
  const same = sourcesAt(worktree, { chosen: { app: "SHOP", environment: null } });
  expect(await requireTarget(same)).toEqual({ app: "shop", environment: "agent" });
});

test("a binding to another server's environment is told as that, and names no app of ours", async () => {
  await bind(worktree, "shop/agent", "/elsewhere");
  await expect(requireTarget(sourcesAt(worktree))).rejects.toMatchObject({
    code: "binding_elsewhere",
    remedy: expect.stringContaining("RAMET_HOME=/elsewhere"),
  });
  expect(await requireApp(sourcesAt(worktree, { apps: ["only"] }))).toBe("only");
});

test("a fork is of this workspace's environment, else the main worktree's, else development", async () => {
  const shop = parseAppName("shop");
  expect(await listSources(sourcesAt(worktree), shop)).toEqual(["development", "development"]);
  await bind(main, "shop/staging");
  expect(await listSources(sourcesAt(worktree), shop)).toEqual(["staging", "development"]);
  await bind(worktree, "shop/agent");
  expect(await listSources(sourcesAt(worktree), shop)).toEqual(["agent", "staging", "development"]);
  expect(await listSources(sourcesAt(worktree), parseAppName("other"))).toEqual([
    "development",
    "development",
  ]);
  await bind(worktree, "shop/agent", "/elsewhere");
  expect(await listSources(sourcesAt(worktree), shop)).toEqual(["staging", "development"]);
});
