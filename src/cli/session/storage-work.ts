import { stat } from "node:fs/promises";

import { monotonicMs } from "../../base/clock.ts";
import { messageOf, Problem } from "../../base/problem.ts";
import { exists } from "../../base/remove-inside.ts";
import type { Home } from "../../protocol/home.ts";
import type { EnvironmentView } from "../../protocol/schemas.ts";
import { assertPossible, createStorage, removeStorage } from "../../storage/storage.ts";
import type { StorageWork } from "../../storage/storage.ts";
import { findServer, waitUntilGone } from "../connection/server-process.ts";
import { hasSurvivors } from "../connection/survivors.ts";
import { ownerNeeded } from "./problems.ts";
import type { Session } from "./session.ts";

/** Puts every environment to sleep, moves all into storage of their own, and wakes those that were awake. */
export async function moveIntoStorage(session: Session, size: number | null): Promise<void> {
  const { home } = session.context;
  await assertPossible(home.folder, "create");
  await whileAsleep(session, async (work) => createStorage(home.folder, size, work));
}

/** The same, back again. */
export async function moveOutOfStorage(session: Session): Promise<void> {
  const { home } = session.context;
  await assertPossible(home.folder, "remove");
  await whileAsleep(session, async (work) => removeStorage(home.folder, work));
}

async function whileAsleep(
  session: Session,
  work: (work: StorageWork) => Promise<void>,
): Promise<void> {
  const { alone, signal = new AbortController().signal } = session.context;
  if (alone === undefined) throw new Error("This program has no server to keep away.");
  const awake = await putToSleep(session);
  try {
    await session.show(async (view) => {
      const began = monotonicMs();
      const tell = (
        detail: string | null,
        state: "started" | "done" | "failed" = "started",
      ): void => view.report({ part: "storage", state, ms: monotonicMs() - began, detail });
      try {
        await alone(() => work({ signal, tell }));
        tell(null, "done");
      } catch (error) {
        tell(null, "failed");
        throw error;
      }
    });
  } finally {
    await wake(session, awake);
  }
}

/** Ends the server, and with it all that runs. Resolves with those that were awake. */
async function putToSleep(session: Session): Promise<readonly EnvironmentView[]> {
  const { home, signal } = session.context;
  const isRunning = (await findServer(home, signal)) !== undefined;
  // A home that is new gets its folders from its server; what a killed server left running, the next one ends.
  const isNeeded = !(await exists(home.serverFile)) || (await hasSurvivors(home));
  if (!isRunning && !isNeeded) return [];
  if (!isRunning && !(await isOurs(home))) throw ownerNeeded(home.folder);
  const environments = await listIfMounted(session);
  const told = await session.call("server.status", {});
  await session.call("server.stop", {});
  await waitUntilGone(home, told, signal);
  return environments.filter(({ state }) => state === "awake" || state === "frozen");
}

/** What was unmounted under its server can be listed by nobody, and is about to be mounted. */
async function listIfMounted(session: Session): Promise<readonly EnvironmentView[]> {
  try {
    return await session.call("environment.list", { app: null });
  } catch (error) {
    if (error instanceof Problem && error.code === "storage_unmounted") return [];
    throw error;
  }
}

/** One that cannot be woken now keeps no other from it: its next request tries again. */
async function wake(session: Session, environments: readonly EnvironmentView[]): Promise<void> {
  if (environments.length > 0 && !(await isOurs(session.context.home))) {
    session.note("Its user starts the server again, and requests wake the environments.");
    return;
  }
  for (const { app, name } of environments) {
    try {
      await session.call("environment.start", { app, environment: name });
    } catch (error) {
      session.note(`${app}/${name} sleeps on: ${messageOf(error)}`);
    }
  }
}

/** A server that we start keeps files that are ours: in another user's home it would shut that user out. */
async function isOurs({ folder }: Home): Promise<boolean> {
  if (!(await exists(folder))) return true;
  return (await stat(folder)).uid === process.getuid?.();
}
