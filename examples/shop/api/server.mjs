/** The shop's HTTP API. It listens on `HOST` and `PORT` and keeps everything in PostgreSQL. */
import express from "express";

import { inTransaction, openPool } from "./database.mjs";

const PAGE = 24;
const MAX_ITEMS = 50;

const host = process.env.HOST ?? "127.0.0.1";
const port = Number(process.env.PORT ?? 3001);
const pool = openPool();

const app = express();
app.use(express.json({ limit: "64kb" }));
app.get(
  "/api/health",
  answer(async () => ({ ok: (await pool.query("SELECT 1")).rowCount === 1 })),
);
app.get("/api/shop", answer(describeShop));
app.get("/api/products", answer(findProducts));
app.post("/api/orders", answer(placeOrder));

const server = app.listen(port, host, (error) => {
  if (error) throw error;
  console.log(`The API listens on http://${host}:${port}`);
});

process.once("SIGTERM", () => {
  server.close(() => pool.end());
  server.closeIdleConnections();
});

/** A request that the customer can mend. */
class Refusal extends Error {}

function answer(work) {
  return async (request, response) => {
    try {
      response.json(await work(request));
    } catch (error) {
      const refused = error instanceof Refusal;
      if (!refused) console.error(error);
      response.status(refused ? 400 : 500).json({ error: refused ? error.message : "It failed" });
    }
  };
}

async function describeShop() {
  const { rows } = await pool.query(
    "SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM products) AS products",
  );
  return {
    environment: process.env.RAMET_ENV ?? "local",
    url: process.env.RAMET_URL ?? null,
    ...rows[0],
  };
}

async function findProducts({ query }) {
  const words = String(query.search ?? "")
    .slice(0, 100)
    .replaceAll(/[\\%_]/g, "\\$&");
  const { rows } = await pool.query(
    `SELECT id, name, category, price_cents AS "priceCents", stock
     FROM products WHERE name || ' ' || category ILIKE '%' || $1 || '%'
     ORDER BY id * 37 % 2003 LIMIT $2`,
    [words, PAGE],
  );
  return rows;
}

async function placeOrder({ body }) {
  const items = parseItems(body?.items);
  const client = await pool.connect();
  try {
    return await inTransaction(client, () => insertOrder(client, items));
  } finally {
    client.release();
  }
}

async function insertOrder(client, items) {
  const { rows } = await client.query(
    "INSERT INTO orders (customer_id) SELECT min(id) FROM customers RETURNING id",
  );
  const { rowCount } = await client.query(
    `INSERT INTO order_items (order_id, product_id, quantity, price_cents)
     SELECT $1, products.id, item.quantity, products.price_cents
     FROM unnest($2::int[], $3::int[]) AS item (product, quantity)
     JOIN products ON products.id = item.product`,
    [rows[0].id, items.map((item) => item.product), items.map((item) => item.quantity)],
  );
  if (rowCount !== items.length) throw new Refusal("One of the products does not exist");
  return { order: rows[0].id };
}

/** `[{product, quantity}]`, no product twice. */
function parseItems(items) {
  if (!Array.isArray(items) || items.length === 0 || items.length > MAX_ITEMS) {
    throw new Refusal(`An order has 1 to ${MAX_ITEMS} items`);
  }
  const sound = items.every((item) => isCount(item?.product) && isCount(item?.quantity));
  if (!sound || new Set(items.map((item) => item.product)).size !== items.length) {
    throw new Refusal("Every item has a product of its own and a quantity");
  }
  return items;
}

function isCount(value) {
  return Number.isInteger(value) && value > 0 && value < 1_000_000;
}
