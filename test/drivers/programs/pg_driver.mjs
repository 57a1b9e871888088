/** node-postgres. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Client } = require("pg");
const [url, wrong] = process.argv.slice(2);
const seen = { driver: `pg ${require("pg/package.json").version}` };

const client = new Client({ connectionString: url });
await client.connect();
seen.parameters = (await client.query("SELECT $1::int + $2::int AS sum", [1, 2])).rows[0].sum;
const twice = { name: "twice", text: "SELECT $1::int * 2 AS n", values: [21] };
await client.query(twice);
seen.prepared = (await client.query(twice)).rows[0].n;
const canceller = new Client({ connectionString: url });
const slow = client.query("SELECT pg_sleep(60)").catch((error) => (seen.cancel = error.code));
setTimeout(() => {
  const { processID, secretKey } = client;
  canceller.connection.once("connect", () => canceller.connection.cancel(processID, secretKey));
  canceller.connection.connect(client.port, client.host);
}, 300);
await slow;
await client.query("CREATE TEMP TABLE copied AS SELECT 1 AS n");
// It leaves COPY's bytes to another package; what goes out is enough to see the protocol's turn.
seen.copy = await copyOut();
const heard = new Promise((resolve) =>
  client.once("notification", ({ payload }) => resolve(payload)),
);
await client.query("LISTEN news");
await client.query("NOTIFY news, 'hello'");
seen.notification = await heard;
await client.end();
const stranger = new Client({ connectionString: wrong });
await stranger.connect().catch((error) => (seen.wrong = error.message));
console.log(JSON.stringify(seen));

async function copyOut() {
  let lines = 0;
  const count = () => (lines += 1);
  client.connection.on("copyData", count);
  await client.query("COPY (SELECT generate_series(1, 3)) TO STDOUT");
  client.connection.off("copyData", count);
  return lines;
}
