/** Runs each file of `db/migrations` once, in the order of their names. */
import { readdir, readFile } from "node:fs/promises";

import { inTransaction, withClient } from "./database.mjs";

const FOLDER = new URL("../db/migrations/", import.meta.url);

await withClient(async (client) => {
  // Whoever runs this at the same moment waits here; the lock goes with the connection.
  await client.query("SELECT pg_advisory_lock(hashtext('migrations'))");
  await client.query(
    "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  const { rows } = await client.query("SELECT name FROM migrations");
  const applied = new Set(rows.map(({ name }) => name));
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith(".sql")).toSorted();
  for (const file of files.filter((one) => !applied.has(one))) await migrate(client, file);
});

async function migrate(client, file) {
  const sql = await readFile(new URL(file, FOLDER), "utf8");
  await inTransaction(client, async () => {
    await client.query(sql);
    await client.query("INSERT INTO migrations (name) VALUES ($1)", [file]);
  });
  console.log(`Applied ${file}`);
}
