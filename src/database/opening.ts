import type { Client } from "pg";

import { allDone } from "../base/all-done.ts";
import { traced } from "../base/trace.ts";
import type { Staged } from "../base/write-atomically.ts";
import type { DatabasePlace } from "../environment/places.ts";
import { untilItGreets } from "./greeting.ts";
import { stageAccess } from "./place-files.ts";
import { createVerifiers, replacePasswords } from "./roles.ts";
import type { Passwords, Verifiers } from "./roles.ts";
import { APP_ROLE } from "./settings.ts";

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

/** From here on everyone connects who knows a password; resolves when the app's role can, after a power cut as well. */
export async function admitOthers(
  admin: Client,
  place: DatabasePlace,
  { access }: Opening,
): Promise<void> {
  await access.place();
  await allDone([access.settle(), untilAdmitted(admin, place)]);
}

async function untilAdmitted(admin: Client, { socketFolder }: DatabasePlace): Promise<void> {
  await admin.query("SELECT pg_reload_conf()");
  await traced("first greeting", async () => untilItGreets(socketFolder, APP_ROLE));
}
