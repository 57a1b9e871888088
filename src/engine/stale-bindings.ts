import { Problem } from "../base/problem.ts";
import { listBindings, unbindWorkspace } from "../workspace/workspace.ts";
import type { Leftover } from "./leftovers.ts";

/** Workspaces that are bound to an environment of this home that is not there any more. */
export async function listStaleBindings({
  folders,
  home,
  ids,
}: {
  /** Where to look: the folders of apps and environments, and their repositories' worktrees. */
  readonly folders: readonly string[];
  readonly home: string;
  readonly ids: ReadonlySet<string>;
}): Promise<readonly Leftover[]> {
  const found = await Promise.all(folders.map(async (folder) => listReadable(folder)));
  const stale = found
    .flat()
    .filter(({ binding }) => binding.home === home && !ids.has(binding.id))
    .map(({ root, binding }) => [root, binding.id] as const);
  return [...new Map(stale)].map(([root, id]) => ({ kind: "binding", id, path: root, pid: null }));
}

export async function removeStaleBindings(leftovers: readonly Leftover[]): Promise<void> {
  for (const { kind, path } of leftovers) {
    if (kind === "binding" && path !== null) await unbindWorkspace(path);
  }
}

async function listReadable(folder: string): ReturnType<typeof listBindings> {
  try {
    return await listBindings(folder);
  } catch (error) {
    // A folder that is gone, or a binding that is none: nothing of ours to clear.
    if (error instanceof Problem) return [];
    throw error;
  }
}
