import pg from "pg";

import { collectSpans } from "../../src/base/trace.ts";
import type { Span } from "../../src/base/trace.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import { createDatabase, forkDatabase, stopDatabase } from "../../src/database/database.ts";
import type { Database } from "../../src/database/database.ts";
import { APP_ROLE } from "../../src/database/place/settings.ts";
import { openTestHome } from "../../src/database/test-home.ts";
import type { TestHome } from "../../src/database/test-home.ts";
import { measureOwnBytes } from "../../src/files/files.ts";
import { time } from "./figures.ts";
import type { Place } from "./places.ts";
import { run } from "./program.ts";
import { fillStatement, requireSize } from "./scene.ts";
import type { Size } from "./scene.ts";

export type Forked = {
  readonly ms: number;
  readonly steps: readonly Span[];
  readonly ownBytes: number;
  readonly database: Database;
};

/** Databases without environments around them: what is measured is their fork alone. */
export class Databases {
  readonly #home: TestHome;
  readonly #signal: AbortSignal;

  static async open(place: Place, undo: UndoStack, signal: AbortSignal): Promise<Databases> {
    const home = await openTestHome({ below: place.folder });
    undo.push(() => home.close());
    return new Databases(home, signal);
  }

  private constructor(home: TestHome, signal: AbortSignal) {
    this.#home = home;
    this.#signal = signal;
  }

  /** One of this size, awake, and written to the disk. */
  async create(size: Size): Promise<Database> {
    const place = await this.#home.createPlace();
    const record = await createDatabase(this.#home.postgres, place, "bench");
    const database = { place, record };
    await query(database, fillStatement(size));
    await query(database, "CREATE TABLE written (at timestamptz NOT NULL, text text NOT NULL)");
    const [bytes] = await query(database, "SELECT pg_database_size('bench') AS value");
    requireSize(Number(bytes), size);
    await this.#flush(place.folder);
    return database;
  }

  /** Until the fork answers. */
  async fork(source: Database): Promise<Forked> {
    this.#signal.throwIfAborted();
    const place = await this.#home.createPlace();
    const { ms, value } = await time(() =>
      collectSpans(() => forkDatabase(this.#home.postgres, source, { place, maskSql: null })),
    );
    const { outcome, spans } = value;
    const ownBytes = (await measureOwnBytes(place.folder)) ?? Number.NaN;
    return { ms, steps: spans, ownBytes, database: { place, record: outcome.record } };
  }

  async remove({ place }: Database): Promise<void> {
    await stopDatabase(place);
    await this.#run("rm", "-r", place.folder);
  }

  async #flush(folder: string): Promise<void> {
    await this.#run("sync", "-f", folder);
  }

  async #run(file: string, ...args: readonly string[]): Promise<void> {
    await run({ file, args, folder: "/", environment: process.env, signal: this.#signal });
  }
}

/** By its own socket, as the app's role. */
export function formatUrl({ place, record }: Database): string {
  return `postgres://${APP_ROLE}:${record.appPassword}@/${record.name}?host=${place.socketFolder}`;
}

/** The column `value` of each row. */
async function query(database: Database, sql: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: formatUrl(database) });
  await client.connect();
  try {
    const { rows } = await client.query<{ value: string }>(sql);
    return rows.map(({ value }) => value);
  } finally {
    await client.end();
  }
}
