/** Git worktrees and clones on the user's machine, and the file that binds one to an environment. */
import { realpath } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { hasBinding, readBinding, removeBinding, writeBinding } from "./binding.ts";
import type { Binding } from "./binding.ts";
import { excludeBinding } from "./exclude.ts";
import { findGitFolders, findOriginFolder, isGitRoot } from "./git.ts";
import type { GitFolders } from "./git.ts";
import { folderMissing } from "./problems.ts";
import { listWorktreeRoots } from "./worktrees.ts";

/** The folder that a person or an agent edits. */
export type Workspace = {
  /** Without symbolic links. In git the worktree's own root. */
  readonly root: string;
  /** The folder in it that was asked about, without symbolic links. */
  readonly folder: string;
  /** null outside git. */
  readonly git: GitFolders | null;
  readonly binding: Binding | null;
};

/**
 * The workspace that a folder lies in. A worktree or repository inside another is its own: the outer one's
 * binding is never found from it. @throws `folder_missing`, `binding_invalid`
 */
export async function findWorkspace(folder: string): Promise<Workspace> {
  const start = await requireFolder(folder);
  const top = await findUpwards(start, isGitRoot);
  if (top !== undefined) {
    const git = (await findGitFolders(top)) ?? null;
    return { root: top, folder: start, git, binding: await readBinding(top) };
  }
  const root = (await findUpwards(start, hasBinding)) ?? start;
  return { root, folder: start, git: null, binding: await readBinding(root) };
}

/** The binding of the repository's main worktree; null in that worktree itself, and where it has none. */
export async function findMainBinding({ root, git }: Workspace): Promise<Binding | null> {
  if (git === null || git.main === null || git.main === root) return null;
  return readBinding(git.main);
}

/** The worktree on this machine that the workspace's repository was cloned from. */
export async function findOrigin({ root, git }: Workspace): Promise<string | null> {
  const origin = git === null ? null : await findOriginFolder(git.main ?? root, git.common);
  if (origin === null) return null;
  const folder = path.basename(origin) === ".git" ? path.dirname(origin) : origin;
  // A bare repository has no worktree, and one around it is another repository's.
  return (await isGitRoot(folder)) ? realpath(folder) : null;
}

/** The bindings of a folder's worktree and of its repository's others; one that cannot be read is left out. */
export async function listBindings(
  folder: string,
): Promise<readonly { readonly root: string; readonly binding: Binding }[]> {
  const { root, git } = await findWorkspace(folder);
  const roots = git === null ? [root] : await listWorktreeRoots(git);
  const found = await Promise.allSettled(
    roots.map(async (one) => ({ root: one, binding: await readBinding(one) })),
  );
  return found.flatMap((one) =>
    one.status === "fulfilled" && one.value.binding !== null
      ? [{ root: one.value.root, binding: one.value.binding }]
      : [],
  );
}

/** @throws `binding_invalid` where a symbolic link stands in the way. */
export async function bindWorkspace(root: string, binding: Binding): Promise<void> {
  await writeBinding(root, binding);
  const git = await findGitFolders(root);
  if (git !== undefined) await excludeBinding(git.common);
}

/** Does nothing where there is no binding. */
export async function unbindWorkspace(root: string): Promise<void> {
  await removeBinding(root);
}

async function requireFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) throw folderMissing(folder);
    throw error;
  }
}

async function findUpwards(
  start: string,
  isWanted: (folder: string) => Promise<boolean>,
): Promise<string | undefined> {
  let folder = start;
  while (!(await isWanted(folder))) {
    const parent = path.dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
  return folder;
}
