import { withClient } from "./client.ts";
import type { Login } from "./client.ts";

/** What a running database holds just now. */
export type Census = { readonly bytes: number; readonly connections: number };

/** Ours is not counted. */
const COUNT = `SELECT pg_database_size($1)::float8 AS bytes,
  (SELECT count(*)::int FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS connections`;

/** A few milliseconds. @throws `database_unreachable` */
export async function takeCensus(login: Login, database: string): Promise<Census> {
  return withClient(login, async (client) => {
    const { rows } = await client.query<Census>(COUNT, [database]);
    return rows[0] ?? { bytes: 0, connections: 0 };
  });
}
