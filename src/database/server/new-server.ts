import { mkdir } from "node:fs/promises";
import path from "node:path";

import type { Client } from "pg";

import { allDone } from "../../base/all-done.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { traced } from "../../base/trace.ts";
import { UndoStack } from "../../base/undo-stack.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import type { SyncMethod } from "../copy/flush.ts";
import { giveTo } from "../place/owned-files.ts";
import { writeFirstSettings } from "../place/place-files.ts";
import type { Programs } from "../place/programs.ts";
import type { Passwords } from "../place/roles.ts";
import { adminLogin, withClient } from "../statements/client.ts";
import { admitOthers, giveOwnPasswords, prepareOpening } from "./opening.ts";
import { findPostmaster, startPostmaster, stopPostmaster } from "./postmaster.ts";

/** Makes the data folder, which only we can enter, and works on it; when that fails, nothing is left. */
export async function inNewFolder<T>(place: DatabasePlace, work: () => Promise<T>): Promise<T> {
  await mkdir(place.folder, { mode: 0o700 });
  return orNothing(place, work);
}

/** When the work fails, neither server nor data folder is left. */
export async function orNothing<T>(place: DatabasePlace, work: () => Promise<T>): Promise<T> {
  const undo = new UndoStack();
  undo.push(() => removeInside(path.dirname(place.folder), place.folder));
  undo.push(() => stopIfRunning(place));
  try {
    return await work();
  } catch (error) {
    await undo.undo();
    throw error;
  }
}

export async function removeDatabase(place: DatabasePlace): Promise<void> {
  await stopIfRunning(place);
  await removeInside(path.dirname(place.folder), place.folder);
}

async function stopIfRunning(place: DatabasePlace): Promise<void> {
  const pid = await findPostmaster(place);
  if (pid !== undefined) await stopPostmaster(pid);
}

export type FirstStart = {
  readonly programs: Programs;
  /** The superuser's, as the copied folder has it. */
  readonly adminPassword: string;
  /** Those that it is to have. */
  readonly passwords: Passwords;
  readonly syncMethod?: SyncMethod;
  /** As superuser, in the database `postgres`. */
  readonly prepare: (admin: Client) => Promise<void>;
};

/** Hands a copied folder to its user and starts its server: for us alone, until it has passwords of its own. */
export async function startFirst(place: DatabasePlace, first: FirstStart): Promise<void> {
  writeFirstSettings(place, first.programs.major);
  giveTo(place.folder, place.uid);
  const [opening] = await allDone([
    prepareOpening(place, first.passwords),
    traced("start of PostgreSQL", async () => startPostmaster(first.programs, place, first)),
  ]);
  const { socketFolder } = place;
  const login = { socketFolder, password: first.adminPassword, major: first.programs.major };
  await withClient(adminLogin(login), async (admin) => {
    await giveOwnPasswords(admin, opening);
    await first.prepare(admin);
    await admitOthers(admin, opening);
  });
}
