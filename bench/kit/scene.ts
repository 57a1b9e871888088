import { stat } from "node:fs/promises";
import path from "node:path";

import pg from "pg";

import type { UndoStack } from "../../src/base/undo-stack.ts";
import { createdEnvironmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import type { Place } from "./places.ts";
import type { User } from "./program.ts";
import { Stage } from "./stage.ts";
import type { AppName } from "./stage.ts";
import { Writer } from "./writer.ts";

export type Size = { readonly label: string; readonly bytes: number };

export const SIZES = {
  small: { label: "10 MB", bytes: 10_000_000 },
  large: { label: "1 GB", bytes: 1_000_000_000 },
} as const satisfies Record<string, Size>;

/** What is forked: an app on a file system with so many rows. */
export type Cast = { readonly place: Place; readonly app: AppName; readonly size: Size };

/** A source that is awake and written to, and a copy of its data folder at rest. */
export type Scene = {
  readonly label: readonly [place: string, app: string, size: string];
  readonly cast: Cast;
  readonly stage: Stage;
  readonly source: CreatedEnvironment;
  readonly resting: Resting;
  readonly writer: Writer;
  readonly bench: Bench;
};

/** What every section is given: how much to measure, and when to give up. */
export type Bench = {
  readonly signal: AbortSignal;
  readonly isQuick: boolean;
  /** Of what takes about a second. */
  readonly rounds: number;
  /** Of the package as npm installs it: what users run. */
  readonly launcher: string;
};

/** A data folder that no server uses, and whose it is. */
export type Resting = { readonly folder: string; readonly user: User | undefined };

/** A heap row with its text takes about this much of a page. */
const ROW_BYTES = 1_024;
const TEXT = "repeat(md5(n::text), 30)";
/** A database may miss its size by so much. */
const TOLERANCE = 0.2;

/** Rows of about 1 kB, made by the database itself. */
export function fillStatement(size: Size): string {
  const rows = Math.round(size.bytes / ROW_BYTES);
  return `CREATE TABLE filler AS SELECT n, ${TEXT} AS text FROM generate_series(1, ${rows}) AS n`;
}

/** @throws Error when a database is not as large as its label says, in its own words */
export function requireSize(bytes: number, size: Size): void {
  // What an empty database, and the app's own rows, take.
  const most = size.bytes * (1 + TOLERANCE) + 30_000_000;
  if (bytes < size.bytes * (1 - TOLERANCE) || bytes > most)
    throw new Error(`A database of ${size.label} has ${bytes} bytes.`);
}

/** Made, filled, brought to rest for a copy, woken again. `undo` ends it. */
export async function openScene(cast: Cast, bench: Bench, undo: UndoStack): Promise<Scene> {
  const stage = await Stage.open(cast.place.folder, cast.app, bench);
  undo.push(() => stage.close());
  const source = createdEnvironmentSchema.parse(await stage.ramet("init"));
  const bytes = await fill(source, cast.size);
  await stage.ramet("env", "stop", source.name);
  const resting = await copyAtRest(stage, source);
  await stage.ramet("env", "start", source.name);
  const writer = await Writer.open(requireDatabase(source));
  undo.push(() => writer.close());
  const size = `${cast.size.label} (${Math.round(bytes / 1e6)} MB)`;
  return { label: [cast.place.label, cast.app, size], cast, stage, source, resting, writer, bench };
}

export function requireDatabase({ databaseUrl }: CreatedEnvironment): string {
  if (databaseUrl === null) throw new Error("The environment has no database.");
  return databaseUrl;
}

async function fill(source: CreatedEnvironment, size: Size): Promise<number> {
  const client = new pg.Client({ connectionString: requireDatabase(source) });
  await client.connect();
  try {
    await client.query(fillStatement(size));
    await client.query("CREATE TABLE written (at timestamptz NOT NULL, text text NOT NULL)");
    const { rows } = await client.query<{ bytes: string }>(
      "SELECT pg_database_size(current_database()) AS bytes",
    );
    const bytes = Number(rows[0]?.bytes);
    requireSize(bytes, size);
    return bytes;
  } finally {
    await client.end();
  }
}

async function copyAtRest(stage: Stage, { id }: CreatedEnvironment): Promise<Resting> {
  const data = path.join(stage.home, "data", id, "database");
  const folder = path.join(stage.folder, "resting");
  await stage.run("cp", "-a", "--reflink=auto", data, folder);
  const { uid, gid } = await stat(data);
  return { folder, user: process.getuid?.() === 0 ? { uid, gid } : undefined };
}
