import pg from "pg";

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("insert into notes (text) select 'note ' || n from generate_series(1, 1000) n");
await client.end();
