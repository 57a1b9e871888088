import { readdirSync, readFileSync } from "node:fs";

import pg from "pg";

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("create table if not exists applied (name text primary key)");
for (const name of readdirSync("migrations").toSorted()) {
  const { rowCount } = await client.query("select from applied where name = $1", [name]);
  if (rowCount > 0) continue;
  await client.query(readFileSync(`migrations/${name}`, "utf8"));
  await client.query("insert into applied values ($1)", [name]);
  console.log(`applied ${name}`);
}
await client.end();
