import { withClient } from "./client.ts";
import type { Login } from "./client.ts";

/** Whoever only listens, or keeps a connection for later, is idle; whoever has begun a transaction is not. */
const BUSY = `SELECT count(*)::int AS busy FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND (state IS DISTINCT FROM 'idle' OR xact_start IS NOT NULL)`;

/** Whether a statement runs or a transaction is open. @throws `database_unreachable` */
export async function hasOpenWork(login: Login): Promise<boolean> {
  return withClient(login, async (client) => {
    const { rows } = await client.query<{ busy: number }>(BUSY);
    return (rows[0]?.busy ?? 0) > 0;
  });
}
