import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { hasErrorCode } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { parseGitConfig } from "./git-config.ts";
import type { GitConfig } from "./git-config.ts";

/** The folders of the repository that a worktree belongs to. */
export type GitFolders = {
  /** Root of the main worktree; null when that is bare. */
  readonly main: string | null;
  /** What all worktrees share: `config`, `info/exclude`. */
  readonly common: string;
};

/** Whether git sees a worktree's root here. `.git` is a folder, or a file that points to one. */
export function isGitRoot(folder: string): Promise<boolean> {
  return exists(path.join(folder, ".git"));
}

/** `undefined` when `.git` is there and yet no repository. */
export async function findGitFolders(root: string): Promise<GitFolders | undefined> {
  const own = await findGitFolder(root);
  if (own === undefined) return undefined;
  const shared = await readIfThere(path.join(own, "commondir"));
  if (shared === undefined) return { main: root, common: own };
  const common = path.resolve(own, shared.trim());
  return { main: await findMainRoot(common), common };
}

/** The folder that a clone was made from, if it is on this machine: `remote.origin.url`. */
export async function findOriginFolder(root: string, common: string): Promise<string | null> {
  const url = (await readConfig(common)).get("remote.origin.url");
  if (url === undefined) return null;
  const folder = parseLocalUrl(url, root);
  return folder !== null && (await isFolder(folder)) ? folder : null;
}

async function findGitFolder(root: string): Promise<string | undefined> {
  const dot = path.join(root, ".git");
  if (await isFolder(dot)) return (await exists(path.join(dot, "HEAD"))) ? dot : undefined;
  const pointer = /^gitdir: (.+)$/m.exec((await readIfThere(dot)) ?? "")?.[1];
  if (pointer === undefined) return undefined;
  const folder = path.resolve(root, pointer.trim());
  return (await isFolder(folder)) ? folder : undefined;
}

async function findMainRoot(common: string): Promise<string | null> {
  const config = await readConfig(common);
  if (config.get("core.bare")?.toLowerCase() === "true") return null;
  const elsewhere = config.get("core.worktree");
  if (elsewhere !== undefined) return path.resolve(common, elsewhere);
  return path.basename(common) === ".git" ? path.dirname(common) : null;
}

async function readConfig(common: string): Promise<GitConfig> {
  return parseGitConfig((await readIfThere(path.join(common, "config"))) ?? "");
}

/** `/path`, `./path`, `file:///path`; null for anything that goes over a network. */
function parseLocalUrl(url: string, root: string): string | null {
  if (url.startsWith("file://"))
    return URL.canParse(url) && new URL(url).host === "" ? fileURLToPath(url) : null;
  const isRemote = url.includes("://") || /^[^/]+:/.test(url);
  return isRemote ? null : path.resolve(root, url);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
    throw error;
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return false;
    throw error;
  }
}
