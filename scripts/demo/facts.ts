import { isDeepStrictEqual } from "node:util";

import { waitFor } from "../../src/base/clock.ts";
import { queryResultSchema } from "../../src/protocol/schemas.ts";
import type { Stage } from "./stage.ts";
import type { Address } from "./traffic.ts";

const HOT_RELOAD_MS = 10_000;

/** What one environment shows of code, schema and rows. */
export type Facts = {
  readonly headline: string;
  /** What any of the agents adds to the schema, as far as it is there. */
  readonly schema: string;
  readonly customers: number;
  readonly priceSum: number;
  readonly soldOut: number;
};

const FACTS = `
  SELECT
    (SELECT concat_ws(', ', to_regclass('invoices')::text, to_regclass('reviews')::text,
       (SELECT 'products.' || attname FROM pg_attribute
        WHERE attrelid = 'products'::regclass AND attname = 'full_price'))),
    (SELECT count(*) FROM customers),
    (SELECT sum(price_cents) FROM products),
    (SELECT count(*) FROM products WHERE stock = 0)`;

export type Place = { readonly stage: Stage; readonly folder: string; readonly address: Address };

/** Code as its URL serves it, schema and rows as its database answers. */
export async function readFacts({ stage, folder, address }: Place): Promise<Facts> {
  const [code, answer] = await Promise.all([
    address.read("/headline.ts"),
    stage.ramet(["db", "query", FACTS], queryResultSchema, folder),
  ]);
  const [schema, customers, priceSum, soldOut] = answer.rows[0] ?? [];
  return {
    headline: /headline = "([^"]*)"/.exec(code)?.[1] ?? "?",
    schema: schema ?? "?",
    customers: Number(customers),
    priceSum: Number(priceSum),
    soldOut: Number(soldOut),
  };
}

/** Hot reload takes a moment: the facts once they are as expected, else as they were last. */
export async function settleFacts(place: Place, expected: Facts): Promise<Facts> {
  let facts = await readFacts(place);
  await waitFor(
    async () => {
      if (!isDeepStrictEqual(facts, expected)) facts = await readFacts(place);
      return isDeepStrictEqual(facts, expected) ? facts : undefined;
    },
    { timeoutMs: HOT_RELOAD_MS, everyMs: 100 },
  );
  return facts;
}
