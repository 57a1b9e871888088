import pg from "pg";

/** Connects to `DATABASE_URL`, else as the libpq variables say. */
const connectionString = process.env.DATABASE_URL;

/** For scripts: one connection, closed when the work is done. */
export async function withClient(work) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** For the server. A connection that breaks while idle is replaced by the next query. */
export function openPool() {
  const pool = new pg.Pool({ connectionString, max: 10 });
  pool.on("error", (error) => console.error(`An idle connection broke: ${error.message}`));
  return pool;
}

/** All or nothing, whether `client` is a pool's or one of its own. */
export async function inTransaction(client, work) {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}
