import { spawn } from "node:child_process";
import { cp, mkdir, rm, stat } from "node:fs/promises";
import path from "node:path";

import pg from "pg";
import { z } from "zod";

import { exists } from "../src/base/remove-inside.ts";
import { formatMs, formatRatio, run, timeMs, untilOk } from "./measure.ts";
import { environmentSchema, openStage } from "./stage.ts";
import type { Environment, Stage } from "./stage.ts";

const ROUNDS = 5;
const AT_ONCE = 8;
const FLOOR_PORT = 27_310;
const timingsSchema = z.object({
  timings: z.object({ files: z.number(), database: z.number(), runtime: z.number() }),
});

export type Size = { readonly label: string; readonly rows: number };

/** The sizes that are promised: rows of about 1 kB. */
export const SIZES: readonly Size[] = [
  { label: "10 MB", rows: 10_000 },
  { label: "1 GB", rows: 900_000 },
];

/** Forks of a live environment until the first 200 from their URL, beside what cannot be saved: copy, start, start. */
export async function measureCreate(size: Size, place?: string): Promise<readonly string[]> {
  const stage = await openStage(place);
  try {
    const source = environmentSchema.parse(await stage.ramet("init"));
    const fill = `create table filler as select n, repeat(md5(n::text), 30) as text from generate_series(1, ${size.rows}) n`;
    await stage.ramet("db", "query", fill);
    await stage
      .ramet("db", "query", "checkpoint")
      .catch(() => "The app's role may not; the fork does it.");
    const forks = await measureForks(stage);
    const floor = await measureFloor(stage, source);
    const together = await timeMs(async () => createMany(stage));
    const deletes = await measureDeletes(stage);
    return [
      `| ${size.label} | ${formatMs(forks.whole)} | ${formatMs(forks.database)} | ${formatMs(forks.runtime)} | ${formatMs(floor)} | ${formatRatio(forks.whole, floor)} | ${Math.round(together)} = ${formatRatio([together], forks.whole)} | ${formatMs(deletes)} |`,
    ];
  } finally {
    await stage.close();
  }
}

type Forks = { readonly whole: number[]; readonly database: number[]; readonly runtime: number[] };

async function measureForks(stage: Stage): Promise<Forks> {
  const figures: Forks = { whole: [], database: [], runtime: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    let made: unknown;
    const ms = await timeMs(async () => {
      made = await stage.ramet("env", "create", `fork-${round}`);
      const { url } = environmentSchema.parse(made);
      await untilOk(Number(new URL(url).port), new URL(url).host);
    });
    const { timings } = timingsSchema.parse(made);
    figures.whole.push(ms);
    figures.database.push(timings.database);
    figures.runtime.push(timings.runtime);
    await stage.ramet("env", "delete", `fork-${round}`, "--force");
  }
  return figures;
}

/** The same by hand: the database's folder copied at rest, PostgreSQL started on it, the app started on that. */
async function measureFloor(stage: Stage, source: Environment): Promise<number[]> {
  await stage.ramet("env", "stop", "development");
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const folder = path.join(stage.folder, "floor");
    await mkdir(folder, { mode: 0o711 });
    const began = performance.now();
    const stop = await startByHand(stage, source, folder);
    figures.push(performance.now() - began);
    await stop();
    await rm(folder, { recursive: true, force: true });
  }
  await stage.ramet("env", "start", "development");
  return figures;
}

async function startByHand(
  stage: Stage,
  source: Environment,
  folder: string,
): Promise<() => Promise<void>> {
  const shared = await findShared(stage);
  const data = path.join(shared, "data", source.id, "database");
  await run("cp", ["-a", "--reflink=auto", data, path.join(folder, "database")]);
  await cp(path.join(stage.app), path.join(folder, "app"), { recursive: true });
  const { uid, gid } = await stat(data);
  const sockets = path.join(folder, "sockets");
  await mkdir(sockets, { mode: 0o777 });
  const programs = path.join(shared, "bin", "postgres");
  const [version = ""] = (await run("ls", [programs])).trim().split("\n");
  const args = ["-D", path.join(folder, "database"), "-k", sockets];
  await run("chown", [`${uid}:${gid}`, sockets]);
  const postgres = spawn(path.join(programs, version, "bin", "postgres"), args, {
    uid,
    gid,
    stdio: "ignore",
  });
  const url = new URL(source.databaseUrl);
  const login = `postgres://app:${url.password}@/${url.pathname.slice(1)}?host=${sockets}`;
  await untilConnected(login);
  const env = { ...process.env, PORT: String(FLOOR_PORT), HOST: "127.0.0.1", DATABASE_URL: login };
  const app = spawn(process.execPath, ["server.mjs"], {
    cwd: path.join(folder, "app"),
    env,
    stdio: "ignore",
  });
  await untilOk(FLOOR_PORT);
  return async () => {
    app.kill("SIGKILL");
    postgres.kill("SIGQUIT");
    await Promise.all(
      [app, postgres].map(async (child) => new Promise((resolve) => child.once("close", resolve))),
    );
  };
}

async function untilConnected(connectionString: string): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    const client = new pg.Client({ connectionString });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    } finally {
      await client.end();
    }
  }
}

async function createMany(stage: Stage): Promise<void> {
  const names = Array.from({ length: AT_ONCE }, (_, index) => `many-${index}`);
  await Promise.all(
    names.map(async (name) => {
      const { url } = environmentSchema.parse(await stage.ramet("env", "create", name));
      await untilOk(Number(new URL(url).port), new URL(url).host);
    }),
  );
}

/** Until it is answered. */
async function measureDeletes(stage: Stage): Promise<number[]> {
  const figures: number[] = [];
  for (let index = 0; index < AT_ONCE; index += 1) {
    figures.push(
      await timeMs(async () => stage.ramet("env", "delete", `many-${index}`, "--force")),
    );
  }
  return figures;
}

/** Where a server of root keeps what other users must reach. */
async function findShared({ home }: Stage): Promise<string> {
  const shared = path.join(home, "shared");
  return (await exists(shared)) ? shared : home;
}
