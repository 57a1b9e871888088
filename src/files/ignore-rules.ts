import { readdir } from "node:fs/promises";
import path from "node:path";

import ignore, { type Ignore } from "ignore";

import { hasErrorCode } from "../base/problem.ts";
import type { Listing } from "./git.ts";
import { treeTooLarge } from "./problems.ts";
import { readSmallFile } from "./small-file.ts";

const MAX_ENTRIES = 1_000_000;
/** Git's own, and ours. */
const NEVER_LISTED = new Set([".git", ".ramet"]);

/** What a copy that was killed in between has left. */
const TEMPORARY = /^\.ramet-[0-9a-f]{12}\.tmp$/;

/** Whether a path has a part that is never listed, whatever the ignore rules say. */
export function isNeverListed(name: string): boolean {
  return name
    .split("/")
    .some((part) => NEVER_LISTED.has(part.toLowerCase()) || TEMPORARY.test(part));
}

/**
 * A tree that git does not know, listed by its `.gitignore` files as git would; but for a folder that an outer file
 * ignores as a whole and an inner one excepts: that stays ignored.
 */
export async function listByRules(root: string): Promise<Listing> {
  return (await walkByRules(root)).listing;
}

/** Of these names, which need not exist, those that the `.gitignore` files of the tree ignore. */
export async function findIgnoredByRules(
  root: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const { rules } = await walkByRules(root);
  return names.filter((name) => isIgnored(rules, name));
}

/** The rules by the folder whose `.gitignore` holds them. */
type Rules = Map<string, Ignore>;

async function walkByRules(root: string): Promise<{ listing: Listing; rules: Rules }> {
  const files: string[] = [];
  const ignored: string[] = [];
  const rules: Rules = new Map();
  const folders = [""];
  for (const folder of folders) {
    const text = await readSmallFile(path.join(root, folder, ".gitignore"));
    if (text !== undefined) rules.set(folder, ignore({ ignorecase: false }).add(text));
    for (const entry of await readFolder(path.join(root, folder))) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isNeverListed(entry.name)) continue;
      if (decides(rules, name, entry.isDirectory()))
        ignored.push(entry.isDirectory() ? `${name}/` : name);
      else (entry.isDirectory() ? folders : files).push(name);
    }
    if (files.length + folders.length > MAX_ENTRIES) throw treeTooLarge(root, MAX_ENTRIES);
  }
  return { listing: { files, ignored }, rules };
}

async function readFolder(folder: string): Promise<{ name: string; isDirectory(): boolean }[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // It was removed since its parent was read.
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** @param name a folder's may end in a slash */
function isIgnored(rules: Rules, name: string): boolean {
  const isFolder = name.endsWith("/");
  const parts = (isFolder ? name.slice(0, -1) : name).split("/");
  return parts.some((_, index) =>
    decides(rules, parts.slice(0, index + 1).join("/"), isFolder || index < parts.length - 1),
  );
}

/** The nearest `.gitignore` that says anything about a name decides. */
function decides(rules: Rules, name: string, isFolder: boolean): boolean {
  const parts = name.split("/");
  for (let depth = parts.length - 1; depth >= 0; depth -= 1) {
    const inner = `${parts.slice(depth).join("/")}${isFolder ? "/" : ""}`;
    const verdict = rules.get(parts.slice(0, depth).join("/"))?.test(inner);
    if (verdict?.ignored === true) return true;
    if (verdict?.unignored === true) return false;
  }
  return false;
}
