/** Fills an empty shop; one that has products already is left alone. */
import { readFile } from "node:fs/promises";

import { inTransaction, withClient } from "./database.mjs";

await withClient(async (client) => {
  const { rows } = await client.query("SELECT EXISTS (SELECT FROM products) AS filled");
  if (rows[0].filled) {
    console.log("The shop has its products already");
    return;
  }
  const sql = await readFile(new URL("../db/seed.sql", import.meta.url), "utf8");
  const start = performance.now();
  await inTransaction(client, () => client.query(sql));
  console.log(`Seeded 100,000 rows in ${Math.round(performance.now() - start)} ms`);
});
