import { mkdir, mkdtemp, readdir, readFile, realpath, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createRepository, git } from "../../test/git.ts";
import { exists, removeInside } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { parseGitConfig } from "./git-config.ts";
import {
  bindWorkspace,
  findMainBinding,
  findOrigin,
  findWorkspace,
  unbindWorkspace,
} from "./workspace.ts";

const BINDING = {
  app: "shop",
  environment: "agent-feature",
  id: "abcdefghijklmnop",
  home: "/home/ada/.ramet",
};

let folder: string;
let main: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "rw-")));
  main = path.join(folder, "shop");
  await mkdir(main);
  await createRepository(main);
});

afterEach(() => removeInside(path.dirname(folder), folder));

async function addWorktree(name: string): Promise<string> {
  const worktree = path.join(folder, name);
  await git(main, "worktree", "add", "--quiet", worktree);
  return worktree;
}

async function writeBindingText(root: string, text: string): Promise<void> {
  await mkdir(path.join(root, ".ramet"), { recursive: true });
  await writeAtomically(path.join(root, ".ramet", "environment.json"), text);
}

test("the main worktree is its own main", async () => {
  expect(await findWorkspace(main)).toEqual({
    root: main,
    folder: main,
    git: { main, common: path.join(main, ".git") },
    binding: null,
  });
});

test("a worktree is bound at its own root, found from below it, and git does not see the binding", async () => {
  const worktree = await addWorktree("agent-feature");
  await mkdir(path.join(worktree, "src", "deep"), { recursive: true });
  await bindWorkspace(worktree, BINDING);
  expect(await findWorkspace(path.join(worktree, "src", "deep"))).toEqual({
    root: worktree,
    folder: path.join(worktree, "src", "deep"),
    git: { main, common: path.join(main, ".git") },
    binding: BINDING,
  });
  expect(await git(worktree, "status", "--porcelain")).toBe("");
  expect((await findWorkspace(main)).binding).toBeNull();
});

test("a binding of the main worktree is found as such from its worktrees, and not from itself", async () => {
  const worktree = await addWorktree("agent-feature");
  await bindWorkspace(main, BINDING);
  expect(await findMainBinding(await findWorkspace(worktree))).toEqual(BINDING);
  expect((await findWorkspace(worktree)).binding).toBeNull();
  expect(await findMainBinding(await findWorkspace(main))).toBeNull();
});

test("a worktree inside another never finds the outer one's binding", async () => {
  await bindWorkspace(main, BINDING);
  await git(main, "worktree", "add", "--quiet", path.join(main, "inner"), "-b", "inner");
  const inner = await findWorkspace(path.join(main, "inner"));
  expect(inner).toMatchObject({ root: path.join(main, "inner"), binding: null });
});

test("a repository inside another never finds the outer one's binding, even one that git calls broken", async () => {
  await bindWorkspace(main, BINDING);
  const vendored = path.join(main, "vendor");
  await mkdir(vendored);
  await git(vendored, "init", "--quiet", ".");
  expect(await findWorkspace(vendored)).toMatchObject({ root: vendored, binding: null });
  const broken = path.join(main, "broken");
  await mkdir(path.join(broken, ".git"), { recursive: true });
  expect(await findWorkspace(broken)).toMatchObject({ root: broken, git: null, binding: null });
});

test("a submodule is a repository of its own", async () => {
  const library = path.join(folder, "library");
  await mkdir(library);
  await git(library, "init", "--quiet", ".");
  await git(library, "commit", "--quiet", "--allow-empty", "--message=First");
  await git(main, "submodule", "--quiet", "add", library, "library");
  await bindWorkspace(main, BINDING);
  const root = path.join(main, "library");
  expect(await findWorkspace(root)).toMatchObject({ root, git: { main: root }, binding: null });
});

test("a worktree of a bare repository has no main worktree", async () => {
  const bare = path.join(folder, "bare.git");
  await git(folder, "clone", "--quiet", "--bare", main, bare);
  const worktree = path.join(folder, "from-bare");
  await git(bare, "worktree", "add", "--quiet", worktree, "-b", "other");
  const workspace = await findWorkspace(worktree);
  expect(workspace).toMatchObject({ root: worktree, git: { main: null, common: bare } });
  expect(await findMainBinding(workspace)).toBeNull();
});

test.each([
  ["a path", (at: string): string => at],
  ["a file URL", (at: string): string => `file://${at}`],
  ["a path to its .git", (at: string): string => path.join(at, ".git")],
])(
  "a clone by %s knows what it was cloned from, and so does a worktree of the clone",
  async (_what, toUrl) => {
    const clone = path.join(folder, "clone");
    await git(folder, "clone", "--quiet", toUrl(main), clone);
    expect(await findOrigin(await findWorkspace(clone))).toBe(main);
    const worktree = path.join(folder, "of-clone");
    await git(clone, "worktree", "add", "--quiet", worktree, "-b", "other");
    expect(await findOrigin(await findWorkspace(worktree))).toBe(main);
  },
);

test.each([
  "https://example.com/shop.git",
  "git@example.com:shop.git",
  "../gone",
  "ext::sh -c true",
])("an origin %s is no folder here", async (url) => {
  await git(main, "remote", "add", "origin", url);
  expect(await findOrigin(await findWorkspace(main))).toBeNull();
});

test("a bare origin inside another repository is not that repository", async () => {
  await git(main, "clone", "--quiet", "--bare", ".", "bare.git");
  const clone = path.join(folder, "clone");
  await git(folder, "clone", "--quiet", path.join(main, "bare.git"), clone);
  expect(await findOrigin(await findWorkspace(clone))).toBeNull();
});

test("outside git the nearest bound folder is the workspace, else the folder itself", async () => {
  const plain = path.join(folder, "plain");
  await mkdir(path.join(plain, "src"), { recursive: true });
  expect(await findWorkspace(path.join(plain, "src"))).toEqual({
    root: path.join(plain, "src"),
    folder: path.join(plain, "src"),
    git: null,
    binding: null,
  });
  await bindWorkspace(plain, BINDING);
  expect(await findWorkspace(path.join(plain, "src"))).toEqual({
    root: plain,
    folder: path.join(plain, "src"),
    git: null,
    binding: BINDING,
  });
  expect(await findOrigin(await findWorkspace(plain))).toBeNull();
});

test("a folder behind a link is where it really is", async () => {
  await symlink(main, path.join(folder, "link"));
  expect((await findWorkspace(path.join(folder, "link"))).root).toBe(main);
});

test("a folder that is not there is a problem", async () => {
  await expect(findWorkspace(path.join(folder, "gone"))).rejects.toMatchObject({
    code: "folder_missing",
  });
});

test("binding twice excludes once, and leaves the rest of the file as it is", async () => {
  const exclude = path.join(main, ".git", "info", "exclude");
  const before = "# mine\r\n*.tmp";
  await writeAtomically(exclude, before);
  await bindWorkspace(main, BINDING);
  await bindWorkspace(await addWorktree("other"), { ...BINDING, environment: "other" });
  expect(await readFile(exclude, "utf8")).toBe(`${before}\n.ramet/\n`);
});

test("a repository without info/exclude gets one", async () => {
  await removeInside(main, path.join(main, ".git", "info"));
  await bindWorkspace(main, BINDING);
  expect(await git(main, "status", "--porcelain")).toBe("");
});

test("unbinding removes what binding made, twice as well as once, and nothing else", async () => {
  await bindWorkspace(main, BINDING);
  await unbindWorkspace(main);
  await unbindWorkspace(main);
  expect(await exists(path.join(main, ".ramet"))).toBe(false);
  await bindWorkspace(main, BINDING);
  await writeAtomically(path.join(main, ".ramet", "note"), "mine");
  await unbindWorkspace(main);
  expect(await readdir(path.join(main, ".ramet"))).toEqual(["note"]);
});

test.each([
  ["no JSON", "{"],
  ["a list", "[]"],
  ["nothing", ""],
  ["no id", JSON.stringify({ ...BINDING, id: undefined })],
  ["a relative home", JSON.stringify({ ...BINDING, home: "here" })],
  ["a hostile name", JSON.stringify({ ...BINDING, environment: "../x" })],
  ["a name that is a number", JSON.stringify({ ...BINDING, app: 1 })],
  ["more than a binding can be", JSON.stringify({ ...BINDING, more: "x".repeat(20_000) })],
])("a binding file with %s is a problem, and binding anew mends it", async (_what, text) => {
  await writeBindingText(main, text);
  await expect(findWorkspace(main)).rejects.toMatchObject({
    name: "Problem",
    code: "binding_invalid",
  });
  await bindWorkspace(main, BINDING);
  expect((await findWorkspace(main)).binding).toEqual(BINDING);
});

test("a binding behind a symbolic link is neither believed nor written", async () => {
  const elsewhere = path.join(folder, "elsewhere");
  await writeBindingText(elsewhere, JSON.stringify(BINDING));
  await symlink(path.join(elsewhere, ".ramet"), path.join(main, ".ramet"));
  await expect(findWorkspace(main)).rejects.toMatchObject({ code: "binding_invalid" });
  await expect(bindWorkspace(main, { ...BINDING, app: "other" })).rejects.toMatchObject({
    code: "binding_invalid",
  });
  await expect(unbindWorkspace(main)).rejects.toMatchObject({ code: "binding_invalid" });
  expect((await findWorkspace(elsewhere)).binding).toEqual(BINDING);
});

test("a binding file that is a link is not read", async () => {
  await mkdir(path.join(main, ".ramet"));
  await writeAtomically(path.join(folder, "outside.json"), JSON.stringify(BINDING));
  await symlink(path.join(folder, "outside.json"), path.join(main, ".ramet", "environment.json"));
  await expect(findWorkspace(main)).rejects.toMatchObject({ code: "binding_invalid" });
});

test("git's configuration is read as git reads it", async () => {
  const file = path.join(folder, "config");
  const values = ["plain", 'with "quotes" and \\ backslash', "a#b;c", " spaces ", "tab\there"];
  for (const [index, text] of values.entries())
    await git(folder, "config", "--file", file, `a.Sub "x\\.key${index}`, text);
  const config = parseGitConfig(await readFile(file, "utf8"));
  expect(values.map((_, index) => config.get(`a.Sub "x\\.key${index}`))).toEqual(values);
});

test("comments, bare keys, continued lines and keys beside their section are read", () => {
  const text =
    '[core] bare # yes\n; no\n[remote "origin"]\n\turl = /a\\\n/b ; end\n\turl = /c\n[core]\n\tbare = false\n';
  expect(Object.fromEntries(parseGitConfig(text))).toEqual({
    "core.bare": "false",
    "remote.origin.url": "/c",
  });
});
