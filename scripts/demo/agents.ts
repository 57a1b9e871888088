import { writeFile } from "node:fs/promises";
import path from "node:path";

import { queryResultSchema } from "../../src/protocol/schemas.ts";
import type { Facts } from "./facts.ts";
import type { Stage } from "./stage.ts";

/** What a scripted agent does to its environment, and how that must look from there, and from nowhere else. */
export type Agent = {
  readonly name: string;
  /** All of it, for the person watching. */
  readonly changes: string;
  readonly headline: string;
  readonly migration: string;
  readonly update: string;
  expect(source: Facts): Facts;
};

const INVOICED = 500;

export const AGENTS: readonly Agent[] = [
  {
    name: "invoices",
    changes: "a headline, a table, 500 customers",
    headline: "Now with invoices",
    migration:
      "CREATE TABLE invoices (id integer PRIMARY KEY, order_id integer REFERENCES orders);",
    update: `INSERT INTO customers (name, email)
      SELECT 'Company ' || n, 'company' || n || '@example.com' FROM generate_series(1, ${INVOICED}) n`,
    expect: (source) => ({
      ...source,
      headline: "Now with invoices",
      schema: "invoices",
      customers: source.customers + INVOICED,
    }),
  },
  {
    name: "sale",
    changes: "a headline, a column, 2,000 prices halved",
    headline: "Half price today",
    migration: "ALTER TABLE products ADD COLUMN full_price integer;",
    update: "UPDATE products SET full_price = price_cents, price_cents = price_cents / 2",
    expect: (source) => ({
      ...source,
      headline: "Half price today",
      schema: "products.full_price",
      priceSum: source.priceSum / 2,
    }),
  },
  {
    name: "reviews",
    changes: "a headline, a table, 200 products sold out",
    headline: "Loved by thousands",
    migration: "CREATE TABLE reviews (product_id integer REFERENCES products, stars integer);",
    update: "UPDATE products SET stock = 0 WHERE category = 'Garden'",
    expect: (source) => ({
      ...source,
      headline: "Loved by thousands",
      schema: "reviews",
      soldOut: source.soldOut + 200,
    }),
  },
];

/** Edits code, migrates and changes rows, all with what a person would use in that folder. */
export async function work(agent: Agent, stage: Stage, folder: string): Promise<void> {
  const migration = path.join(folder, "db/migrations", `0003-${agent.name}.sql`);
  await writeFile(migration, `${agent.migration}\n`);
  await writeFile(
    path.join(folder, "web/headline.ts"),
    `export const headline = ${JSON.stringify(agent.headline)};\n`,
  );
  await stage.run(["node", "api/migrate.mjs"], folder);
  await stage.ramet(["db", "query", agent.update], queryResultSchema, folder);
}
