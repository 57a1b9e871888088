import { execFile } from "node:child_process";
import { lchown, lstat, mkdir, readdir, readlink, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { git } from "../../test/git.ts";
import { codeOf } from "../../test/problems.ts";
import type { SystemUser } from "../environment/places.ts";
import { bringFiles, findIgnored, keepFiles, listFiles } from "./files.ts";
import { commitApp, listAll, openTrees, put, type Trees } from "./test-trees.ts";

let trees: Trees;
let root = "";
let source = "";
let target = "";
beforeEach(async () => {
  trees = await openTrees();
  ({ root, source, target } = trees);
});
afterEach(async () => trees.close());

const copy = (options: object = {}): Parameters<typeof keepFiles>[0] => ({
  source,
  target,
  clone: [],
  user: null,
  ...options,
});

test("a kept tree holds what git lists and what is cloned, by name in nested packages too", async () => {
  await commitApp(trees);
  const { detail } = await keepFiles(copy({ clone: ["node_modules", "missing"] }));
  expect(await listAll(target)).toEqual([
    "-x y.txt",
    ".gitignore",
    "node_modules/a/index.js",
    "packages/ui/index.js",
    "packages/ui/node_modules/b/index.js",
    "src/app.js",
    "untracked é.txt",
  ]);
  expect(detail).toMatch(/^(?:copied|reflink) 5 files, node_modules, packages\/ui\/node_modules$/);
  expect(await readdir(target)).not.toContain(".git");
});

test("modes, times and links are kept", async () => {
  await put(source, { "run.sh": "#!/bin/sh", "node_modules/.bin/tool": "1" });
  await promisify(execFile)("chmod", ["755", "run.sh"], { cwd: source });
  await symlink("run.sh", path.join(source, "inner"));
  await symlink("/etc/hostname", path.join(source, "outer"));
  await symlink(path.join(source, "run.sh"), path.join(source, "absolute"));
  await symlink(path.join(source, "packages/ui"), path.join(source, "node_modules/ui"));
  await keepFiles(copy({ clone: ["node_modules"] }));

  expect((await stat(path.join(target, "run.sh"))).mode & 0o777).toBe(0o755);
  const times = await Promise.all([source, target].map((tree) => stat(path.join(tree, "run.sh"))));
  expect(Math.abs((times[0]?.mtimeMs ?? 0) - (times[1]?.mtimeMs ?? 9))).toBeLessThan(1);
  expect(await readlink(path.join(target, "inner"))).toBe("run.sh");
  expect(await readlink(path.join(target, "outer"))).toBe("/etc/hostname");
  expect(await readlink(path.join(target, "absolute"))).toBe(path.join(target, "run.sh"));
  expect(await readlink(path.join(target, "node_modules/ui"))).toBe(
    path.join(target, "packages/ui"),
  );
});

test("writing into a copy leaves the source as it is", async () => {
  await commitApp(trees);
  await keepFiles(copy({ clone: ["node_modules"] }));
  for (const name of await listAll(target)) {
    const [original, copied] = await Promise.all(
      [source, target].map((tree) => lstat(path.join(tree, name))),
    );
    expect(copied?.ino).not.toBe(original?.ino);
    expect(copied?.nlink).toBe(1);
  }
});

test("without git the ignore files decide, nested ones and exceptions too", async () => {
  await put(source, {
    ".gitignore": "*.log\nnode_modules/\nBuild\n",
    "a.log": "1",
    "keep/.gitignore": "!b.log\nsecret*\n",
    "keep/b.log": "1",
    "keep/secret.txt": "1",
    "build/out": "1",
    "x/node_modules/y.js": "1",
    ".ramet/environment.json": "{}",
  });
  await keepFiles(copy());
  expect(await listAll(target)).toEqual([
    ".gitignore",
    "build/out",
    "keep/.gitignore",
    "keep/b.log",
  ]);
  expect(
    await findIgnored(source, ["z.log", "keep/z.log", "x/node_modules/z", "z", "keep/secrets/z"]),
  ).toEqual(new Set(["z.log", "keep/z.log", "x/node_modules/z", "keep/secrets/z"]));
});

test("a name that reads as git's own words is a name", async () => {
  const names = ["160000 0123 0\tx", "? z", "H 100644 0123 0\ty"];
  await git(source, "init", "-q");
  await put(source, Object.fromEntries(names.map((name) => [name, "mine"])));
  await git(source, "add", names[0] ?? "");

  await keepFiles(copy());

  expect(await listAll(target)).toEqual(names.toSorted());
});

test("a folder whose .git is no repository is listed by its ignore files", async () => {
  await put(source, { ".git": "none", ".gitignore": "ignored", ignored: "1", kept: "1" });

  await keepFiles(copy());

  expect(await listAll(target)).toEqual([".gitignore", "kept"]);
});

test("a submodule's files come along, another repository inside the tree does not", async () => {
  const library = path.join(root, "library");
  await mkdir(library);
  await git(library, "init", "-q");
  await put(library, { "lib.js": "1", ".gitignore": "*.tmp\n" });
  await git(library, "add", "-A");
  await git(library, "commit", "-qm", "library");
  await commitApp(trees);
  await git(source, "submodule", "--quiet", "add", library, "vendor/library");
  await put(source, {
    "vendor/library/new.js": "1",
    "vendor/library/x.tmp": "1",
    "other/inner.js": "1",
  });
  await git(path.join(source, "other"), "init", "-q");

  await keepFiles(copy());
  const names = await listAll(target);
  expect(names).toContain("vendor/library/lib.js");
  expect(names).toContain("vendor/library/new.js");
  expect(names).not.toContain("vendor/library/x.tmp");
  expect(names).not.toContain("other/inner.js");
  expect(
    await findIgnored(source, ["vendor/library/y.tmp", "vendor/library/y.js", "y.log"]),
  ).toEqual(new Set(["vendor/library/y.tmp", "y.log"]));
});

test("a folder that an outer repository ignores is not listed by that repository", async () => {
  await git(source, "init", "-q");
  await put(source, {
    ".gitignore": "kept\n",
    "kept/a.js": "1",
    "app/b.js": "1",
    "app/c.log": "1",
    "app/.gitignore": "*.log\n",
  });
  expect((await (await listFiles(path.join(source, "kept"))).read()).files).toEqual(["a.js"]);
  expect([...(await (await listFiles(path.join(source, "app"))).read()).files].toSorted()).toEqual([
    ".gitignore",
    "b.js",
  ]);
});

test("variables of git's own that the caller has do not reach it", async () => {
  await commitApp(trees);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { listFiles } from "./files.ts"; console.log((await (await listFiles(${JSON.stringify(source)})).read()).files.length);`,
    ],
    {
      cwd: import.meta.dirname,
      env: { ...process.env, GIT_DIR: "/nowhere", GIT_WORK_TREE: "/", GIT_INDEX_FILE: "/x" },
    },
  );
  expect(stdout.trim()).toBe("6");
});

test.each(["../outside", "/etc", "", ".", "a/../../b", "a\0b", ".git", ".ramet/x"])(
  "the clone path %j is refused",
  async (name) => {
    await put(source, { "a.js": "1" });
    expect(await codeOf(keepFiles(copy({ clone: [name] })))).toBe("path_outside");
  },
);

test("what lies beyond a link is not asked about", async () => {
  await commitApp(trees);
  await symlink("src", path.join(source, "link"));
  expect(await findIgnored(source, ["link/a.log", "a.log", ":b.log", "*.log", "src"])).toEqual(
    new Set(["a.log", ":b.log", "*.log"]),
  );
});

test(
  "as root, copies belong to the user they are made for",
  { skip: process.getuid?.() !== 0 },
  async () => {
    await commitApp(trees);
    for (const name of ["", ...(await readdir(source, { recursive: true }))])
      await lchown(path.join(source, name), 12_345, 12_345);
    await promisify(execFile)("chmod", ["755", root]);
    const user: SystemUser = { uid: 23_456, gid: 23_456, home: "/", name: "app" };
    await keepFiles(copy({ clone: ["node_modules"], user }));
    const owners = new Set<number>();
    for (const name of ["", ...(await readdir(target, { recursive: true }))])
      owners.add((await lstat(path.join(target, name))).uid);
    expect([...owners]).toEqual([23_456]);

    const workspace = path.join(root, "workspace");
    await mkdir(workspace);
    await bringFiles(copy({ target: workspace, clone: ["packages/ui/node_modules"], user }));
    expect((await lstat(path.join(workspace, "packages"))).uid).toBe(23_456);
    expect((await lstat(path.join(workspace, "packages/ui/node_modules/b/index.js"))).uid).toBe(
      23_456,
    );
  },
);
