import { Problem } from "../../base/problem.ts";
import { listBindings, unbindWorkspace } from "../../workspace/workspace.ts";
import type { Layout } from "../home/layout.ts";
import type { Leftover, Owners } from "./leftovers.ts";

/** Workspaces that are bound to an environment of this home that is not there any more; `folders`: where apps lie. */
export async function listStaleBindings(
  { home }: Layout,
  { environments, busy }: Owners,
  folders: readonly string[],
): Promise<readonly Leftover[]> {
  const records = environments.map(({ record }) => record);
  const linked = records.flatMap(({ files }) => (files.kind === "linked" ? [files.path] : []));
  const ids = new Set<string>([...busy, ...records.map(({ id }) => id)]);
  // Their repositories' worktrees are looked at with them.
  const found = await Promise.all(
    [...folders, ...linked].map(async (folder) => listReadable(folder)),
  );
  const stale = found
    .flat()
    .filter(({ binding }) => binding.home === home.folder && !ids.has(binding.id))
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
