import type { Client } from "pg";

import { allDone } from "../../base/all-done.ts";
import { waitFor } from "../../base/clock.ts";
import { traced } from "../../base/trace.ts";
import type { Staged } from "../../base/write-atomically.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { stageAccess } from "../place/place-files.ts";
import { databaseFailed } from "../place/problems.ts";
import { createVerifiers, replacePasswords } from "../place/roles.ts";
import type { Passwords, Verifiers } from "../place/roles.ts";

const RELOAD_LIMIT_MS = 10_000;
const RELOAD_STEP_MS = 2;

/** All that can be done ahead to let others into a server which is for us alone as yet. */
export type Opening = { readonly verifiers: Verifiers; readonly access: Staged };

/** While the server starts, or catches up: none of it changes what it does. */
export async function prepareOpening(place: DatabasePlace, passwords: Passwords): Promise<Opening> {
  const [verifiers, access] = await allDone([createVerifiers(passwords), stageAccess(place)]);
  return { verifiers, access };
}

/** Gives the server the passwords that it is to have; nobody else can connect yet. */
export async function giveOwnPasswords(admin: Client, { verifiers }: Opening): Promise<void> {
  await traced("passwords", async () => replacePasswords(admin, verifiers));
}

/** From here on everyone connects who knows a password; resolves when they can, after a power cut as well. */
export async function admitOthers(admin: Client, { access }: Opening): Promise<void> {
  await access.place();
  await allDone([access.settle(), traced("others are let in", async () => untilReloaded(admin))]);
}

/**
 * The server tells its sessions before it reads who may connect, and admits nobody in between: whoever comes once a session
 * has been told meets the new rules. To try it out would cost another session.
 */
async function untilReloaded(admin: Client): Promise<void> {
  const ask = async (call: string): Promise<string | undefined> => {
    const { rows } = await admin.query<{ at: string }>(
      `SELECT pg_conf_load_time()::text AS at${call}`,
    );
    return rows[0]?.at;
  };
  const before = await ask(", pg_reload_conf()");
  const isDone = async (): Promise<true | undefined> =>
    (await ask("")) === before ? undefined : true;
  const limits = { timeoutMs: RELOAD_LIMIT_MS, everyMs: RELOAD_STEP_MS };
  if ((await waitFor(isDone, limits)) === undefined) throw databaseFailed("let others in", []);
}
