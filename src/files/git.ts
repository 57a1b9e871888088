import { stat } from "node:fs/promises";
import path from "node:path";

import { Problem } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import type { ProcessUser, ProgramResult } from "../process/process.ts";
import { hasLinkOnWay } from "./place.ts";
import { gitFailed } from "./problems.ts";
import { runListing, runTool, runUncut, splitNul, type ToolOptions } from "./tools.ts";

/** A folder that git knows, and as whom it is asked about it. */
export type GitTree = { readonly folder: string; readonly user: ProcessUser | null };

export type Listing = {
  /** What git tracks, and what it does not know and does not ignore. Some may be gone from the disk. */
  readonly files: readonly string[];
  /** What git ignores; a folder that is ignored as a whole is one entry, with a slash at its end. */
  readonly ignored: readonly string[];
};

/**
 * Nothing of the caller's: no `GIT_DIR`, no index of a running commit, no hooks, no file monitor of the tree's own.
 * Whose folder it is does not matter, because git runs as that user where we may choose.
 */
const GIT_ENVIRONMENT = {
  GIT_CONFIG_COUNT: "3",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
  GIT_CONFIG_KEY_1: "core.fsmonitor",
  GIT_CONFIG_VALUE_1: "false",
  GIT_CONFIG_KEY_2: "core.hooksPath",
  GIT_CONFIG_VALUE_2: "/dev/null",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
};
const MAX_SUBMODULE_DEPTH = 8;
const SUBMODULE_MODE = "160000 ";
const LIST_IGNORED = ["ls-files", "-oi", "--exclude-standard", "--directory", "-z"] as const;

/** undefined: git is not here, or knows nothing of this folder, or ignores it as a whole. */
export async function findGitTree(folder: string): Promise<GitTree | undefined> {
  return withGit(async () => {
    const tree = { folder, user: await findOwner(folder) };
    const { exitCode, stdout } = await git(tree, [
      "rev-parse",
      "--is-inside-work-tree",
      "--show-prefix",
    ]);
    const [isInside, prefix = ""] = stdout.split("\n");
    if (exitCode !== 0 || isInside !== "true") return undefined;
    return prefix !== "" && (await git(tree, ["check-ignore", "-q", "."])).exitCode === 0
      ? undefined
      : tree;
  });
}

/**
 * Does the work in the folder's tree; undefined where git knows none. One that has a `.git` of its own is nearly always
 * what it seems: git is asked about that only when the work fails.
 */
export async function inGitTree<T>(
  folder: string,
  work: (tree: GitTree) => Promise<T>,
): Promise<T | undefined> {
  if (await isTopFolder(folder)) {
    try {
      return await work({ folder, user: await findOwner(folder) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
  const tree = await findGitTree(folder);
  return tree === undefined ? undefined : work(tree);
}

/** Submodules' contents are listed as files of the tree; other repositories inside it are left out. */
export async function listGitTree(tree: GitTree): Promise<Listing> {
  return parseTold(await askGitTree(tree));
}

/** What git says of a tree, not taken apart: whoever only wants to know whether it is the same as before has no need to. */
export type Told = {
  readonly entries: string;
  readonly ignored: string;
  /** The same of each submodule that is there, by its name. */
  readonly inner: readonly (readonly [submodule: string, told: Told])[];
};

export async function askGitTree(tree: GitTree, depth = 0): Promise<Told> {
  const [entries, ignored] = await Promise.all([askEntries(tree), askIgnored(tree)]);
  const mayGoOn = depth < MAX_SUBMODULE_DEPTH && mayHaveSubmodules(entries);
  const submodules = mayGoOn ? parseEntries(splitNul(entries)).submodules : [];
  const inner = await Promise.all(submodules.map((name) => askInner(tree, name, depth)));
  return { entries, ignored, inner: inner.flat() };
}

export function askEntries(tree: GitTree): Promise<string> {
  return print(tree, ["ls-files", "-t", "-s", "-o", "--exclude-standard", "-z"]);
}

/** What git tracks and does not check out, as a sparse checkout says. */
export async function listSkipped(tree: GitTree): Promise<readonly string[]> {
  const entries = await list(tree, ["ls-files", "-t", "-z"]);
  return entries.filter((entry) => entry.startsWith("S ")).map((entry) => entry.slice(2));
}

export function askIgnored(tree: GitTree): Promise<string> {
  return print(tree, LIST_IGNORED);
}

/** No, where no mode of an entry is one's; yes, too, where a name looks like it. */
export function mayHaveSubmodules(entries: string): boolean {
  return entries.includes(SUBMODULE_MODE);
}

export function parseTold({ entries, ignored, inner }: Told): Listing {
  const { files } = parseEntries(splitNul(entries));
  const below = inner.map(([name, told]) => prefixed(name, parseTold(told)));
  return {
    files: [...new Set([...files, ...below.flatMap((listing) => listing.files)])],
    ignored: [...splitNul(ignored), ...below.flatMap((listing) => listing.ignored)],
  };
}

/** What git ignores alone, without a look at all the rest. */
export async function listGitIgnored(tree: GitTree): Promise<readonly string[]> {
  const [ignored, submodules] = await Promise.all([list(tree, LIST_IGNORED), listSubmodules(tree)]);
  const inner = await Promise.all(submodules.map((name) => askInner(tree, name, 0)));
  const below = inner.flat().map(([name, told]) => prefixed(name, parseTold(told)));
  return [...ignored, ...below.flatMap((listing) => listing.ignored)];
}

/** Of these names, which need not exist, those that git would ignore. */
export async function findGitIgnored(
  tree: GitTree,
  names: readonly string[],
): Promise<readonly string[]> {
  const submodules = await listSubmodules(tree);
  const ownerOf = (name: string): string =>
    submodules.find((submodule) => name.startsWith(`${submodule}/`)) ?? "";
  const groups = [...Map.groupBy(names, ownerOf)];
  const found = await Promise.all(
    groups.map(async ([submodule, inGroup]) => {
      const inner = inGroup.map((name) => name.slice(submodule === "" ? 0 : submodule.length + 1));
      const ignored = await checkIgnored(
        { ...tree, folder: path.join(tree.folder, submodule) },
        inner,
      );
      return ignored.map((name) => path.posix.join(submodule, name));
    }),
  );
  return found.flat();
}

export async function isTracked(tree: GitTree, name: string): Promise<boolean> {
  const { stdout } = await git(tree, ["--literal-pathspecs", "ls-files", "-z", "--", name]);
  return stdout !== "";
}

/** True when git says that both hold the same files, unchanged; false also means that it is not known. */
export async function areSameTree(folders: readonly [string, string]): Promise<boolean> {
  const same = await withGit(async () => {
    const heads = await Promise.all(folders.map(findCleanHead));
    if (heads.includes(undefined)) return false;
    if (heads[0] === heads[1] && (await areAll(folders, isTopFolder))) return true;
    const trees = await Promise.all(folders.map(findTree));
    return trees[0] !== undefined && trees[0] === trees[1];
  });
  return same === true;
}

/** The commit that the folder is at, while nothing in the folder differs from it. */
async function findCleanHead(folder: string): Promise<string | undefined> {
  const tree = { folder, user: await findOwner(folder) };
  const { exitCode, stdout } = await git(tree, ["status", "--porcelain=v2", "--branch", "--", "."]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  if (exitCode !== 0 || !lines.every((line) => line.startsWith("# "))) return undefined;
  return lines.map((line) => /^# branch\.oid ([0-9a-f]{40,})$/.exec(line)?.[1]).find(Boolean);
}

/** What HEAD holds of this folder; undefined where git does not track it. */
async function findTree(folder: string): Promise<string | undefined> {
  const tree = await findGitTree(folder);
  if (tree === undefined) return undefined;
  const { exitCode, stdout } = await git(tree, ["rev-parse", "--verify", "--quiet", "HEAD:./"]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** No commit says otherwise of it than of the whole. */
function isTopFolder(folder: string): Promise<boolean> {
  return exists(path.join(folder, ".git"));
}

async function areAll<T>(
  items: readonly T[],
  test: (item: T) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(items.map(test))).every(Boolean);
}

/** undefined where git is not installed. */
async function withGit<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem && error.code === "program_missing") return undefined;
    throw error;
  }
}

/** Root asks as the folder's owner: a repository's own configuration can make git run programs. */
async function findOwner(folder: string): Promise<ProcessUser | null> {
  if (process.getuid?.() !== 0) return null;
  const { uid, gid } = await stat(folder);
  return uid === 0 ? null : { uid, gid };
}

/**
 * Of `ls-files -t -s -o`: `? name` is not tracked; `H mode object stage<TAB>name` is, and a submodule by its mode.
 * Untracked folders are other repositories.
 */
function parseEntries(entries: readonly string[]): { files: string[]; submodules: string[] } {
  const files: string[] = [];
  const submodules: string[] = [];
  for (const entry of entries) {
    const isKnown = !entry.startsWith("? ");
    const name = isKnown ? entry.slice(entry.indexOf("\t") + 1) : entry.slice(2);
    if (isKnown && entry.startsWith(SUBMODULE_MODE, 2)) submodules.push(name);
    else if (!name.endsWith("/")) files.push(name);
  }
  return { files, submodules };
}

async function askInner(tree: GitTree, submodule: string, depth: number): Promise<Told["inner"]> {
  const folder = path.join(tree.folder, submodule);
  if (!(await exists(path.join(folder, ".git")))) return [];
  return [[submodule, await askGitTree({ ...tree, folder }, depth + 1)]];
}

function prefixed(submodule: string, { files, ignored }: Listing): Listing {
  const inTree = (name: string): string => `${submodule}/${name}`;
  return { files: files.map(inTree), ignored: ignored.map(inTree) };
}

async function listSubmodules(tree: GitTree): Promise<readonly string[]> {
  const staged = await list(tree, ["ls-files", "-s", "-z"]);
  return staged
    .filter((line) => line.startsWith(SUBMODULE_MODE))
    .map((line) => line.slice(line.indexOf("\t") + 1));
}

/** git has no answer for what lies beyond a link: it is not ignored. */
async function checkIgnored(tree: GitTree, names: readonly string[]): Promise<readonly string[]> {
  const beyond = await findBeyondLinks(tree.folder, names);
  const asked = names.filter((name) => !beyond.has(path.dirname(name)));
  if (asked.length === 0) return [];
  // A name that begins with a colon would mean something else to git.
  const input = asked.map((name) => `./${name}\0`).join("");
  const args = ["check-ignore", "-z", "--stdin"];
  const { exitCode, stderr, entries } = await runListing("git", args, {
    ...optionsOf(tree),
    input,
  });
  if (exitCode === 0 || exitCode === 1) return entries.map((name) => name.slice(2));
  throw gitFailed(tree.folder, firstLine(stderr));
}

/** The folders among those that hold the names which can be reached through a link only. */
async function findBeyondLinks(
  root: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const folders = new Set(names.map((name) => path.dirname(name)));
  const beyond = new Set<string>();
  for (const folder of folders) {
    if (await hasLinkOnWay(root, `${folder}/x`)) beyond.add(folder);
  }
  return beyond;
}

async function list(tree: GitTree, args: readonly string[]): Promise<readonly string[]> {
  return splitNul(await print(tree, args));
}

async function print(tree: GitTree, args: readonly string[]): Promise<string> {
  const { exitCode, stderr, text } = await runUncut("git", args, optionsOf(tree));
  if (exitCode === 0) return text;
  throw gitFailed(tree.folder, firstLine(stderr));
}

function git(tree: GitTree, args: readonly string[]): Promise<ProgramResult> {
  return runTool("git", args, optionsOf(tree));
}

function optionsOf({ folder, user }: GitTree): ToolOptions {
  return { folder, user, environment: GIT_ENVIRONMENT };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
