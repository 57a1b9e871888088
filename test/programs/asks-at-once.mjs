// Asks its database before it does anything else, once, and ends when nobody answers there.
import { createServer } from "node:http";

import pg from "pg";

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const { rows } = await client.query(
  "select case when to_regclass('notes') is null then 'none' else 'some' end as found",
);
const texts =
  rows[0].found === "some" ? (await client.query("select text from notes order by text")).rows : [];
await client.end();
createServer((_, response) => response.end(JSON.stringify(texts))).listen(
  process.env.PORT,
  "127.0.0.1",
);
