import { chown } from "node:fs/promises";

import { messageOf, Problem } from "../base/problem.ts";
import { removeInside } from "../base/remove-inside.ts";
import { createDatabase, forkDatabase, stopDatabase } from "../database/database.ts";
import type { DatabaseRecord, EnvironmentId } from "../environment/environment.ts";
import type { Manifest } from "../environment/manifest.ts";
import type { Draft, Parts } from "../environment/parts.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import type { SystemUser } from "../environment/places.ts";
import { bringFiles, keepFiles } from "../files/files.ts";
import { endMarked } from "../process/process.ts";
import { startRuntime } from "../runtime/runtime.ts";
import { findWorkspace, unbindWorkspace } from "../workspace/workspace.ts";
import type { EngineContext } from "./context.ts";
import { makeEnvironmentFolders } from "./layout.ts";
import type { LiveEnvironment } from "./live-environment.ts";
import { findDeletedRecord, removeRecord, writeRecord } from "./records.ts";

export type Making = {
  /** null for an app's first environment. */
  readonly source: LiveEnvironment | null;
  /** null where nothing is made. */
  readonly manifest: Manifest | null;
  readonly maskSql: string | null;
  readonly user: SystemUser | null;
};

const GRACE_MS = 3_000;

/** The parts on this machine. Each step is announced to `checkpoint` before and after. */
export function createLocalParts(context: EngineContext, making: Making): Parts {
  const announced = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    await context.checkpoint(`before ${step}`);
    const result = await work();
    await context.checkpoint(`after ${step}`);
    return result;
  };
  return {
    prepare: async (draft) => announced("prepare", async () => prepare(context, making, draft)),
    provideFiles: async (draft) => announced("files", async () => provideFiles(making, draft)),
    provideDatabase: async (draft) =>
      announced("database", async () => provideDatabase(context, making, draft)),
    writeRecord: async (record) =>
      announced("record", async () => writeRecord(context.layout, record)),
    removeRecord: async (record) =>
      announced("removal", async () => removeRecord(context.layout, record)),
    clear: async (id) => announced("clearing", async () => clearEnvironment(context, id)),
  };
}

/** Ends every process that carries the environment's mark and removes its folders, however far it had come. */
export async function clearEnvironment(context: EngineContext, id: EnvironmentId): Promise<void> {
  const { layout } = context;
  await stopEarlyKeeper(context, id);
  const database = layout.databasePlace({ id, uid: null });
  const runtime = layout.runtimePlace(id, null);
  await Promise.all([
    endMarked(MARK_VARIABLE, runtime.mark, { graceMs: GRACE_MS }),
    endMarked(MARK_VARIABLE, `${runtime.mark}.keeper`, { graceMs: GRACE_MS }),
    stopDatabase(database),
  ]);
  await endMarked(MARK_VARIABLE, database.mark, { graceMs: GRACE_MS });
  await unbind(context, id);
  await removeInside(layout.home.sockets, layout.databaseSockets(id));
  await removeInside(layout.home.sockets, layout.keeperSockets(id));
  await removeInside(layout.data, layout.folder(id));
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

async function prepare(context: EngineContext, { user }: Making, draft: Draft): Promise<void> {
  await makeEnvironmentFolders(context.layout, { id: draft.id, uid: draft.uid, user });
  const keeper = startRuntime(context.layout.runtimePlace(draft.id, user), context.keeperProgram);
  // Whoever wakes the environment awaits it as well and meets its failure; until then it must not end the server.
  keeper.catch((error: unknown) => context.log(`${draft.id}: ${messageOf(error)}`));
  context.keepers.set(draft.id, keeper);
}

async function provideFiles(making: Making, draft: Draft): Promise<string> {
  if (making.source === null) return "";
  const trees = {
    source: making.source.record.files.path,
    target: draft.files.path,
    user: making.user,
  };
  const clone = making.manifest?.files.clone ?? [];
  if (draft.files.kind === "linked") return (await bringFiles({ ...trees, clone })).detail;
  const { detail } = await keepFiles({ ...trees, clone });
  if (making.user !== null) await chown(draft.files.path, making.user.uid, making.user.gid);
  return detail;
}

async function provideDatabase(
  context: EngineContext,
  { source, manifest, maskSql }: Making,
  draft: Draft,
): Promise<{ record: DatabaseRecord | null; detail: string }> {
  if (manifest === null || manifest.database === null) return { record: null, detail: "" };
  const place = context.layout.databasePlace(draft);
  if (source === null) {
    return { record: await createDatabase(await context.postgres(), place, draft.app), detail: "" };
  }
  return source.withDatabase(async (database) => {
    if (database === null) return { record: null, detail: "" };
    return forkDatabase(await context.postgres(), database, { place, maskSql });
  });
}

async function stopEarlyKeeper(context: EngineContext, id: EnvironmentId): Promise<void> {
  const keeper = context.keepers.get(id);
  context.keepers.delete(id);
  const [outcome] = await Promise.allSettled([keeper]);
  if (outcome.status === "fulfilled") await outcome.value?.stop();
}
