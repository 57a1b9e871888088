import { readdir } from "node:fs/promises";
import path from "node:path";

import ignore, { type Ignore } from "ignore";

import { exists } from "../base/remove-inside.ts";
import type { Listing } from "./git.ts";
import { treeTooLarge } from "./problems.ts";
import { readSmallFile } from "./small-file.ts";

const FILE = ".worktreeinclude";
const MAX_ENTRIES = 200_000;

/**
 * The ignored files and folders of the source that `.worktreeinclude` names, in gitignore's syntax: its own, else the
 * target's. Only in folders that are ignored as a whole is anything read, and not in `node_modules` or other repositories.
 */
export async function findIncluded(
  source: string,
  target: string,
  { ignored }: Pick<Listing, "ignored">,
): Promise<readonly string[]> {
  const text =
    (await readSmallFile(path.join(source, FILE))) ??
    (await readSmallFile(path.join(target, FILE)));
  if (text === undefined) return [];
  const patterns = ignore({ ignorecase: false }).add(text);
  const found: string[] = [];
  const left = [...ignored];
  for (const entry of left) {
    if (patterns.ignores(entry)) found.push(entry.replace(/\/$/, ""));
    else if (entry.endsWith("/")) left.push(...(await listInside(source, entry, patterns)));
    if (left.length > MAX_ENTRIES) throw treeTooLarge(source, MAX_ENTRIES);
  }
  return found;
}

async function listInside(
  source: string,
  folder: string,
  patterns: Ignore,
): Promise<readonly string[]> {
  if (/(?:^|\/)node_modules\/$/.test(folder)) return [];
  if (await exists(path.join(source, folder, ".git"))) return [];
  const entries = await readdir(path.join(source, folder), { withFileTypes: true });
  const names = entries.map((entry) => `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}`);
  return names.filter((name) => name.endsWith("/") || patterns.ignores(name));
}
