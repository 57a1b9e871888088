import { readdir } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { isEnvironmentId } from "../../environment/environment.ts";
import type { EnvironmentId, EnvironmentRecord } from "../../environment/environment.ts";
import { MARK_VARIABLE, WAY_OUT } from "../../environment/places.ts";
import { endMarked, findMarked } from "../../process/process.ts";
import type { Layout } from "../home/layout.ts";
import { listDataFolders } from "../home/records.ts";
import { listSpareFolders } from "../home/spare-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import { listUnowned } from "../parts/generations.ts";
import { clearEnvironment } from "../parts/local-parts.ts";

/** Something of ours that no environment owns. */
export type Leftover = {
  readonly kind: "process" | "folder" | "socket" | "binding";
  readonly id: string;
  readonly path: string | null;
  readonly pid: number | null;
};

export type Owners = {
  readonly environments: readonly LiveEnvironment[];
  /** Being made or cleared just now. */
  readonly busy: ReadonlySet<EnvironmentId>;
  /** The folders of spare copies. */
  readonly spares: { folders(): ReadonlySet<string> };
};

/** Looks at the machine, not at what we remember: processes by their marks, folders, sockets. */
export async function listLeftovers(
  context: EngineContext,
  owners: Owners,
): Promise<readonly Leftover[]> {
  const lists = await Promise.all([
    listProcesses(context, owners),
    listFolders(context, owners),
    listSpares(context, owners),
    listSockets(context, owners),
  ]);
  return lists.flat();
}

/** Clears them; an environment's own id names what belongs together. */
export async function mendLeftovers(
  context: EngineContext,
  leftovers: readonly Leftover[],
): Promise<void> {
  for (const { kind, id, path: folder } of leftovers) {
    if (kind === "process") await endAll(context, id);
    if (kind === "folder" && isEnvironmentId(id)) await clearEnvironment(context, id);
    if (kind === "folder" && folder !== null) await removeInside(rootOf(context, folder), folder);
    if (kind === "socket" && folder !== null)
      await removeInside(context.layout.home.sockets, folder);
  }
}

/** `data` may be reached through a link. */
function rootOf({ layout: { data, home } }: EngineContext, folder: string): string {
  return folder.startsWith(`${data}/`) ? data : home.folder;
}

/** Ends every process of this home. */
export async function endHome(context: EngineContext): Promise<void> {
  const marked = await findMarked(MARK_VARIABLE, `${context.layout.home.id}.`);
  const ids = marked.map(({ mark }) => mark.split(".")[1] ?? "");
  await Promise.all([...new Set(ids)].map(async (id) => endAll(context, id)));
}

async function listProcesses(
  { layout }: EngineContext,
  { environments, busy }: Owners,
): Promise<readonly Leftover[]> {
  const awake = new Set<string>(
    environments.filter((live) => live.ownsProcesses()).map(({ record }) => record.id),
  );
  const marked = await findMarked(MARK_VARIABLE, `${layout.home.id}.`);
  return marked.flatMap(({ pid, mark }) => {
    const id = mark.split(".")[1] ?? "";
    const isOwned = id === WAY_OUT || awake.has(id) || (isEnvironmentId(id) && busy.has(id));
    return isOwned ? [] : [{ kind: "process" as const, id, path: null, pid }];
  });
}

async function listFolders(
  { layout }: EngineContext,
  { environments, busy }: Owners,
): Promise<readonly Leftover[]> {
  const owned = new Set<string>([...busy, ...environments.map(({ record }) => record.id)]);
  const names = await listDataFolders(layout);
  const folders = names
    .filter((name) => isEnvironmentId(name) && !owned.has(name))
    .map((name) => ({ id: name, path: path.join(layout.data, name) }));
  const unowned = environments
    .filter(({ record }) => !busy.has(record.id))
    .map(async ({ record }) => listUnownedPlaces(layout, record));
  return [...folders, ...(await Promise.all(unowned)).flat()].map((one) => ({
    ...one,
    kind: "folder" as const,
    pid: null,
  }));
}

/** Databases that a reset did not come to the end of, or let go of, below the folder of an environment that is there. */
async function listUnownedPlaces(
  layout: Layout,
  record: EnvironmentRecord,
): Promise<readonly { readonly id: string; readonly path: string }[]> {
  const generations = await listUnowned(layout, record);
  return generations.map((generation) => ({
    id: `${record.id}.${generation}`,
    path: layout.databasePlace({ ...record, generation }).folder,
  }));
}

async function listSpares(
  { layout }: EngineContext,
  { spares }: Owners,
): Promise<readonly Leftover[]> {
  // One may begin or end while the folders are listed.
  const before = spares.folders();
  const folders = await listSpareFolders(layout);
  const now = spares.folders();
  const lost = folders.filter((folder) => !before.has(folder) && !now.has(folder));
  return lost.map((folder) => ({
    kind: "folder" as const,
    id: path.basename(folder),
    path: folder,
    pid: null,
  }));
}

async function listSockets(
  { layout }: EngineContext,
  { environments, busy }: Owners,
): Promise<readonly Leftover[]> {
  const ids = [...busy, ...environments.map(({ record }) => record.id)];
  const owned = new Set(
    ids.flatMap((id) => [
      path.basename(layout.databaseSockets(id)),
      path.basename(layout.keeperSockets(id)),
      ...(busy.has(id) ? [path.basename(layout.resetSockets(id))] : []),
    ]),
  );
  const names = await listNames(layout.home.sockets);
  return names
    .filter((name) => /^[a-z2-7]{8}[kr]?$/.test(name) && !owned.has(name))
    .map((name) => ({
      kind: "socket" as const,
      id: name,
      path: path.join(layout.home.sockets, name),
      pid: null,
    }));
}

async function endAll({ layout }: EngineContext, id: string): Promise<void> {
  const marked = await findMarked(MARK_VARIABLE, `${layout.home.id}.${id}.`);
  for (const mark of new Set(marked.map((process) => process.mark)))
    await endMarked(MARK_VARIABLE, mark, { graceMs: 2_000 });
}

async function listNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}
