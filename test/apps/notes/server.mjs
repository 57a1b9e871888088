import { createServer } from "node:http";

import pg from "pg";

import { headline } from "./headline.mjs";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
pool.on("error", (error) => console.error("idle connection:", error.message));

const answers = {
  "/": async () => {
    const { rows } = await pool.query("select count(*)::int as count from notes");
    return { environment: process.env.RAMET_ENV, headline, notes: rows[0].count };
  },
  "/variables": async () => ({
    mode: process.env.MODE ?? null,
    publicUrl: process.env.PUBLIC_URL ?? null,
    keyLength: process.env.STRIPE_KEY?.length ?? null,
    names: Object.keys(process.env).toSorted(),
  }),
  "/columns": async () => {
    const { rows } = await pool.query(
      "select column_name from information_schema.columns where table_name = 'notes' order by 1",
    );
    return rows.map((row) => row.column_name);
  },
};

createServer((request, response) => void answerTo(request, response)).listen(
  process.env.PORT,
  process.env.HOST,
  () => console.log(`Notes listen on ${process.env.PORT}`),
);

async function answerTo(request, response) {
  const answer = answers[request.url ?? "/"];
  try {
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify((await answer?.()) ?? null));
  } catch (error) {
    response.end(JSON.stringify({ error: error.message }));
  }
}
