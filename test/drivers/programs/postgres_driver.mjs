/** postgres.js. */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import postgres from "postgres";

const [url, wrong] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync("node_modules/postgres/package.json", "utf8"));
const seen = { driver: `postgres ${version}` };

const sql = postgres(url, { max: 1, onnotice: () => {} });
seen.parameters = (await sql`SELECT ${1}::int + ${2}::int AS sum`)[0].sum;
for (let run = 0; run < 2; run += 1) seen.prepared = (await sql`SELECT ${21}::int * 2 AS n`)[0].n;
const slow = sql`SELECT pg_sleep(60)`.execute();
setTimeout(() => slow.cancel(), 300);
await slow.catch((error) => (seen.cancel = error.code));
await sql`CREATE TEMP TABLE copied (n int, word text)`;
const copy = await sql`COPY copied FROM STDIN`.writable();
await pipeline(Readable.from(["1\tone\n", "2\ttwo\n", "3\tthree\n"]), copy);
seen.copy = Number((await sql`SELECT count(*) FROM copied`)[0].count);
const { promise: heard, resolve } = Promise.withResolvers();
await sql.listen("news", resolve);
await sql.notify("news", "hello");
seen.notification = await heard;
await sql.end();
const stranger = postgres(wrong, { max: 1 });
await stranger`SELECT 1`.catch((error) => (seen.wrong = error.message));
await stranger.end();
console.log(JSON.stringify(seen));
