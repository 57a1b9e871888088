import pg from "pg";

import { sleep } from "../../src/base/clock.ts";
import { ACCOUNTS, CHURN_ROWS } from "./bank.ts";
import type { Acknowledged } from "./bank.ts";

const LANES = 4;
const MAX_LINES = 4;
/** After a transfer, so that a core is left for whoever copies meanwhile. */
const PAUSE_MS = 3;
const CHURN_PAUSE_MS = 50;
/** Tables that are there at a time. */
const CHURN_TABLES = 3;
const RETRY_MS = 20;
const CONNECT_LIMIT_MS = 5_000;
const STATEMENT_LIMIT_MS = 60_000;

/**
 * Four connections that move money and write orders, and a fifth that makes, vacuums and drops tables, until they are
 * stopped. One that is lost is opened again.
 */
export class Transfers {
  /** Of statements and connections, in words; whoever kills the database expects some. */
  readonly failures: string[] = [];
  /** Commits that were acknowledged and are gone: none is ever expected. */
  readonly losses: string[] = [];
  readonly #login: () => pg.ClientConfig;
  readonly #random: () => number;
  readonly #stopping = new AbortController();
  readonly #acknowledged: number[] = Array.from({ length: LANES }, () => 0);
  readonly #working: Promise<unknown>;

  constructor(login: () => pg.ClientConfig, random: () => number) {
    this.#login = login;
    this.#random = random;
    const lanes = this.#acknowledged.map(async (_, lane) =>
      this.#keep(async (client) => this.#transfer(client, lane)),
    );
    this.#working = Promise.all([...lanes, this.#keep(async (client) => this.#churn(client))]);
  }

  get acknowledged(): Acknowledged {
    return [...this.#acknowledged];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  /** Works on a connection until all is stopped. */
  async #keep(work: (client: pg.Client) => Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#onConnection(work);
      } catch (error) {
        this.failures.push(String(error));
        await sleep(RETRY_MS);
      }
    }
  }

  async #onConnection(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client({
      ...this.#login(),
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: STATEMENT_LIMIT_MS,
    });
    // A connection that is lost shows in the statement that fails.
    client.on("error", () => undefined);
    try {
      await client.connect();
      await work(client);
    } finally {
      await client.end();
    }
  }

  async #transfer(client: pg.Client, lane: number): Promise<void> {
    const { rows } = await client.query<{ last: number }>(
      `SELECT coalesce(max(number), 0)::int AS last FROM transfers WHERE lane = ${lane}`,
    );
    const last = rows[0]?.last ?? 0;
    const known = this.#acknowledged[lane] ?? 0;
    if (last < known) this.losses.push(`lane ${lane} has ${last} of ${known} transfers`);
    for (let number = last + 1; !this.#stopping.signal.aborted; number += 1) {
      await client.query(formatTransfer(lane, number, this.#random));
      this.#acknowledged[lane] = number;
      await sleep(2 * PAUSE_MS * this.#random());
    }
  }

  /** Files that come and go while a folder is copied. */
  async #churn(client: pg.Client): Promise<void> {
    for (let number = 0; !this.#stopping.signal.aborted; number += 1) {
      const table = `churn${number % CHURN_TABLES}`;
      await client.query(
        `BEGIN; DROP TABLE IF EXISTS ${table};
         CREATE TABLE ${table} AS SELECT n FROM generate_series(1, ${CHURN_ROWS}) AS n; COMMIT`,
      );
      await client.query("VACUUM accounts");
      await sleep(CHURN_PAUSE_MS);
    }
  }
}

/** One transaction, in one message; the account with the lower number first, so that two never wait for each other. */
function formatTransfer(lane: number, number: number, random: () => number): string {
  const below = (limit: number): number => Math.floor(random() * limit);
  const giver = 1 + below(ACCOUNTS - 1);
  const taker = giver + 1 + below(ACCOUNTS - giver);
  const amount = below(100) - 50;
  const lines = 1 + below(MAX_LINES);
  return `BEGIN;
    UPDATE accounts SET amount = amount - ${amount} WHERE n = ${giver};
    INSERT INTO orders VALUES (${lane}, ${number}, ${lines});
    UPDATE accounts SET amount = amount + ${amount} WHERE n = ${taker};
    INSERT INTO lines SELECT ${lane}, ${number}, line FROM generate_series(1, ${lines}) AS line;
    INSERT INTO transfers VALUES (${lane}, ${number}, ${giver}, ${taker}, ${amount});
    COMMIT`;
}
