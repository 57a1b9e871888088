import type { Client } from "pg";

import type { DatabaseRecord } from "../../environment/environment.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { majorOf } from "../place/programs.ts";
import { APP_ROLE } from "../place/settings.ts";
import { adminLogin } from "../statements/client.ts";
import type { Login } from "../statements/client.ts";

/** A database that is copied or followed. */
export type Source = { readonly place: DatabasePlace; readonly record: DatabaseRecord };

/** The superuser's login to one of its databases; left open, to the one that belongs to nobody else. */
export function adminOf({ place, record }: Source, database?: string): Login {
  const { socketFolder } = place;
  const { adminPassword: password, postgres } = record;
  return adminLogin({ socketFolder, password, major: majorOf(postgres.version) }, database);
}

/** The app's role's; what it set for itself does not stop us. */
export function loginOfApp({ place, record }: Source): Login {
  return {
    socketFolder: place.socketFolder,
    user: APP_ROLE,
    password: record.appPassword,
    database: record.name,
    settings: "ours",
    major: majorOf(record.postgres.version),
  };
}

/** SQL of how many tables of the session's database have rows that are not in the WAL. */
export const COUNT_UNLOGGED =
  "(SELECT count(*)::int FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r')";

export async function countUnlogged(admin: Client): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(`SELECT ${COUNT_UNLOGGED} AS count`);
  return rows[0]?.count ?? 0;
}
