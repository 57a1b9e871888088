import { chown } from "node:fs/promises";

import { messageOf, Problem } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { traced } from "../../base/trace.ts";
import { createDatabase, provideExtensions, stopDatabase } from "../../database/database.ts";
import type {
  DatabaseRecord,
  EnvironmentId,
  EnvironmentRecord,
  PreparationStep,
  Report,
} from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import type { Draft, Parts, ProvidedDatabase } from "../../environment/parts.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import type { SystemUser } from "../../environment/places.ts";
import { bringFiles, keepFiles } from "../../files/files.ts";
import type { PlaceReady } from "../../files/files.ts";
import { endMarked } from "../../process/process.ts";
import { startFirstRuntime } from "../../runtime/runtime.ts";
import { findWorkspace, unbindWorkspace } from "../../workspace/workspace.ts";
import { makeEnvironmentFolders } from "../home/layout.ts";
import type { Layout } from "../home/layout.ts";
import { findDeletedRecord, removeRecord, writeRecord } from "../home/records.ts";
import { useUpStandby } from "../home/standby-file.ts";
import { isPersons } from "../home/users.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import { chooseIsolation } from "../processes/isolation.ts";
import { holdKeeper } from "../processes/limiting.ts";
import { planRuntime } from "../processes/runtime-planning.ts";
import { forkData, NO_DATABASE } from "./fork-data.ts";
import { listGenerations } from "./generations.ts";
import { listFirstSteps, listForkSteps } from "./preparation.ts";

export type Making = {
  /** null for an app's first environment. */
  readonly source: LiveEnvironment | null;
  readonly manifest: Manifest;
  /** Whose manifest that is: the folder that it runs on, or that its files are copied from. */
  readonly treeFolder: string;
  readonly maskSql: string | null;
  /** The folder of the PostgreSQL that its maker named; null: it is not said. */
  readonly postgresBin: string | null;
  /** Whether a standby waits at its place, or none does though its source is to have some; null: it is to have none. */
  readonly standby: "ready" | "missed" | null;
  readonly user: SystemUser | null;
  /** Puts a copy of its source's files that was made ahead in its place. */
  readonly ready: PlaceReady | undefined;
  readonly report: Report;
};

const GRACE_MS = 3_000;

/** The parts on this machine. Each step is announced to `checkpoint` before and after. */
export function createLocalParts(context: EngineContext, making: Making): Parts {
  // Resolves when the database is near, or there will be none.
  const near = Promise.withResolvers<DatabaseRecord | null>();
  return {
    prepare: async (draft) => announced(context, "prepare", () => prepare(context, making, draft)),
    provideFiles: async (draft) => announced(context, "files", () => provideFiles(making, draft)),
    listSteps: async (draft) => traced("steps", () => listSteps(making, draft)),
    provideDatabase: async (draft) =>
      announced(context, "database", () =>
        provideDatabase(context, making, { draft, onNear: near.resolve }),
      ).finally(() => near.resolve(null)),
    startProcesses: async (draft) => {
      const database = await near.promise;
      await announced(context, "processes", () =>
        startProcesses(context, making, { ...draft, ...COMING, database }),
      );
    },
    writeRecord: async (record) =>
      announced(context, "record", () => writeRecord(context.layout, record)),
    clear: async (id) => clearEnvironment(context, id),
  };
}

/** The commit of a delete: after it the environment is not there. */
export async function removeEnvironment(
  context: EngineContext,
  record: EnvironmentRecord,
): Promise<void> {
  await announced(context, "removal", () => removeRecord(context.layout, record));
}

/** Ends every process that carries the environment's mark and removes its folders, however far it had come. */
export async function clearEnvironment(context: EngineContext, id: EnvironmentId): Promise<void> {
  await announced(context, "clearing", () => clear(context, id));
}

async function announced<T>(
  { checkpoint }: EngineContext,
  step: string,
  work: () => Promise<T>,
): Promise<T> {
  await checkpoint(`before ${step}`);
  const result = await traced(step, work);
  await checkpoint(`after ${step}`);
  return result;
}

async function clear(context: EngineContext, id: EnvironmentId): Promise<void> {
  const { layout } = context;
  await stopEarlyKeeper(context, id);
  const database = layout.databasePlace({ id, uid: null });
  const runtime = layout.runtimePlace(id, null);
  await Promise.all([
    endMarked(MARK_VARIABLE, runtime.mark, { graceMs: GRACE_MS }),
    endMarked(MARK_VARIABLE, `${runtime.mark}.keeper`, { graceMs: GRACE_MS }),
    endMarked(MARK_VARIABLE, layout.tenderMark(id), { graceMs: GRACE_MS }),
    stopDatabases(layout, id),
  ]);
  await endMarked(MARK_VARIABLE, database.mark, { graceMs: GRACE_MS });
  await context.groups?.remove(id);
  await unbind(context, id);
  await removeInside(layout.home.sockets, layout.databaseSockets(id));
  await removeInside(layout.home.sockets, layout.keeperSockets(id));
  await removeInside(layout.home.sockets, layout.resetSockets(id));
  await removeInside(layout.data, layout.folder(id));
}

/** With those that a reset replaced, or was making. */
async function stopDatabases(layout: Layout, id: EnvironmentId): Promise<void> {
  for (const generation of await listGenerations(layout, id))
    await stopDatabase(layout.databasePlace({ id, uid: null, generation }));
}

/** The workspace that it ran on is bound to nothing any more; one that was bound to another meanwhile stays so. */
async function unbind({ layout, log }: EngineContext, id: EnvironmentId): Promise<void> {
  try {
    const record = await findDeletedRecord(layout, id);
    if (record?.files.kind !== "linked") return;
    const { root, binding } = await findWorkspace(record.files.path);
    if (binding?.id === id) await unbindWorkspace(root);
  } catch (error) {
    // A folder that went first, or a binding that cannot be read: no reason to keep what else there is.
    if (!(error instanceof Problem)) throw error;
    log(`${id}: ${error.message}`);
  }
}

async function prepare(
  context: EngineContext,
  { user, manifest, standby }: Making,
  draft: Draft,
): Promise<void> {
  await useUpStandby(context.layout, draft.id);
  const { id, uid } = draft;
  const hasDatabase = standby === "ready";
  const keepsFiles = draft.files.kind === "kept";
  await makeEnvironmentFolders(context.layout, { id, uid, user, hasDatabase, keepsFiles });
  const hasOwnNetwork = (await chooseIsolation(context, draft, manifest)).kind === "isolated";
  const keeper = startFirstRuntime(context.layout.runtimePlace(draft.id, user), {
    hasOwnNetwork,
    handsOver: hasOwnNetwork && !isPersons(draft, user),
    onStarted: holdKeeper(context, draft, manifest),
  });
  // Whoever wakes the environment awaits it as well and meets its failure; until then it must not end the server.
  keeper.catch((error: unknown) => context.log(`${draft.id}: ${messageOf(error)}`));
  context.keepers.set(draft.id, keeper);
  if (hasOwnNetwork && manifest.network !== "none") await context.wayOut();
}

async function provideFiles(making: Making, draft: Draft): Promise<string> {
  if (making.source === null) return "";
  const trees = {
    source: making.source.record.files.path,
    target: draft.files.path,
    user: making.user,
    ready: making.ready,
  };
  const { clone } = making.manifest.files;
  if (draft.files.kind === "linked") return (await bringFiles({ ...trees, clone })).detail;
  const { detail } = await keepFiles({ ...trees, clone });
  if (making.user !== null) await chown(draft.files.path, making.user.uid, making.user.gid);
  return detail;
}

async function listSteps(
  { source, manifest, treeFolder }: Making,
  draft: Draft,
): Promise<readonly PreparationStep[]> {
  if (source === null) return listFirstSteps(treeFolder, manifest);
  return listForkSteps(source.record, draft, manifest);
}

async function provideDatabase(
  context: EngineContext,
  making: Making,
  { draft, onNear }: { draft: Draft; onNear: (record: DatabaseRecord) => void },
): Promise<ProvidedDatabase> {
  const { source, manifest, postgresBin } = making;
  if (manifest.database === null) return NO_DATABASE;
  const place = context.layout.databasePlace(draft, manifest.grants.limits);
  if (source === null) {
    const postgres = await context.postgres.forNew(postgresBin);
    const record = await createDatabase(postgres, place, draft.app);
    await provideExtensions({ place, record }, manifest.grants.extensions);
    return { record, detail: "", fork: null };
  }
  const { extensions } = manifest.grants;
  return forkData(context, source, { ...making, place, data: draft.data, extensions, onNear });
}

/** What its record will say when its processes are started ahead of it: nothing remains to be run. */
const COMING = {
  remaining: [],
  missingMigrations: [],
  generation: 1,
  replaced: null,
  state: { kind: "preparing" },
} as const;

/** What goes wrong here is left to its wake, which tries again and tells. */
async function startProcesses(
  context: EngineContext,
  { manifest }: Making,
  record: EnvironmentRecord,
): Promise<void> {
  try {
    const runtime = await context.keepers.get(record.id);
    await runtime?.apply(await planRuntime(context, record, { manifest, isHeld: true }));
  } catch (error) {
    context.log(`${record.id}: ${messageOf(error)}`);
  }
}

async function stopEarlyKeeper(context: EngineContext, id: EnvironmentId): Promise<void> {
  const keeper = context.keepers.get(id);
  context.keepers.delete(id);
  const [outcome] = await Promise.allSettled([keeper]);
  if (outcome.status === "fulfilled") await outcome.value?.stop();
}
