import pg from "pg";

import { sleep } from "../../src/base/clock.ts";

/** What came of the statements since the last look. */
export type Written = {
  readonly statements: number;
  readonly failed: number;
  readonly longestMs: number;
};

const STATEMENT = "INSERT INTO written SELECT now(), repeat('x', 100)";
const STATEMENT_LIMIT_MS = 20_000;

/** An app's light use of its database: one row after another on one connection, with a pause between. */
export class Writer {
  readonly #client: pg.Client;
  readonly #closing = new AbortController();
  readonly #writing: Promise<void>;
  #pauseMs = 100;
  #statements = 0;
  #failed = 0;
  #longestMs = 0;
  #answered: Promise<void> = Promise.resolve();

  static async open(connectionString: string): Promise<Writer> {
    const client = new pg.Client({ connectionString, query_timeout: STATEMENT_LIMIT_MS });
    // A connection that is lost shows in the statements that fail.
    client.on("error", () => undefined);
    await client.connect();
    return new Writer(client);
  }

  private constructor(client: pg.Client) {
    this.#client = client;
    this.#writing = this.#write();
  }

  /** Statements until the work is done, one every `pauseMs` besides its own time; a stall counts while it lasts. */
  async watch(pauseMs: number, work: () => Promise<unknown>): Promise<Written> {
    const usual = this.#pauseMs;
    this.#pauseMs = pauseMs;
    await sleep(usual);
    [this.#statements, this.#failed, this.#longestMs] = [0, 0, 0];
    await work();
    await this.#answered;
    this.#pauseMs = usual;
    return { statements: this.#statements, failed: this.#failed, longestMs: this.#longestMs };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
    await this.#client.end();
  }

  async #write(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#answered = this.#writeOne();
      await this.#answered;
      await sleep(this.#pauseMs);
    }
  }

  async #writeOne(): Promise<void> {
    const began = performance.now();
    try {
      await this.#client.query(STATEMENT);
      this.#statements += 1;
    } catch {
      // Counted: that is what is measured.
      this.#failed += 1;
    }
    this.#longestMs = Math.max(this.#longestMs, performance.now() - began);
  }
}
