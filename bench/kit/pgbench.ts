import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Database } from "../../src/database/database.ts";
import { APP_ROLE, SOCKET_PORT } from "../../src/database/place/settings.ts";
import { findDebianProgram } from "./debian.ts";
import { quantile } from "./figures.ts";
import { run } from "./program.ts";

/** About 30 MB. */
const SCALE = 2;
const CLIENTS = 4;

/** What its clients noticed. */
export type Burden = {
  readonly transactions: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** Clients that gave up because a statement failed: pgbench tries none again. */
  readonly failed: number;
};

/** Four clients of Debian's pgbench at full speed, each transaction flushed to the disk. */
export class Pgbench {
  readonly #database: Database;
  readonly #program: string;
  readonly #signal: AbortSignal;

  /** Its tables are made; undefined where it is not installed. */
  static async open(database: Database, signal: AbortSignal): Promise<Pgbench | undefined> {
    const program = await findDebianProgram("pgbench");
    if (program === undefined) return undefined;
    const pgbench = new Pgbench(database, program, signal);
    await pgbench.#run("-i", "-q", "-s", String(SCALE));
    return pgbench;
  }

  private constructor(database: Database, program: string, signal: AbortSignal) {
    this.#database = database;
    this.#program = program;
    this.#signal = signal;
  }

  /** For so long, whatever else goes on. */
  async measure(seconds: number): Promise<Burden> {
    const folder = await mkdtemp(path.join(tmpdir(), "pgbench-"));
    try {
      const log = ["-l", `--log-prefix=${path.join(folder, "log")}`];
      const load = ["-n", "-N", "-c", String(CLIENTS), "-j", "2", "-T", String(seconds)];
      const printed = await this.#run(...load, ...log);
      const milliseconds = await readLatencies(folder);
      return {
        transactions: milliseconds.length,
        perSecond: milliseconds.length / seconds,
        p50: quantile(milliseconds, 0.5),
        p99: quantile(milliseconds, 0.99),
        longest: milliseconds.reduce((most, one) => Math.max(most, one), 0),
        failed: printed.match(/aborted/g)?.length ?? 0,
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** It fails when one of its clients does. Resolves with all that it printed. */
  async #run(...args: readonly string[]): Promise<string> {
    const { place, record } = this.#database;
    const login = ["-h", place.socketFolder, "-p", String(SOCKET_PORT), "-U", APP_ROLE];
    const environment = { PATH: "/usr/bin:/bin", LC_ALL: "C", PGPASSWORD: record.appPassword };
    const launch = { file: this.#program, folder: "/", environment, signal: this.#signal };
    try {
      return await run({ ...launch, args: [...args, ...login, record.name] });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (args.includes("-i")) throw error;
      return String(error);
    }
  }
}

/** Lines of `client transaction microseconds script second microsecond`. */
async function readLatencies(folder: string): Promise<readonly number[]> {
  const figures: number[] = [];
  for (const name of await readdir(folder)) {
    const text = await readFile(path.join(folder, name), "latin1");
    for (const line of text.trimEnd().split("\n")) figures.push(Number(line.split(" ")[2]) / 1_000);
  }
  return figures;
}
