import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";

import pg from "pg";

import type { UndoStack } from "../../src/base/undo-stack.ts";
import { debianProgram, findDebianVersion } from "./debian.ts";
import { time } from "./figures.ts";
import { untilConnected } from "./floor.ts";
import { measureBaseBackup, measureBesideClients } from "./live-peers.ts";
import type { Beside } from "./live-peers.ts";
import { run, serve } from "./program.ts";
import type { User } from "./program.ts";
import { fillStatement, requireSize } from "./scene.ts";
import type { Bench, Cast } from "./scene.ts";

/** Milliseconds until a copy of the database answers, as one makes it without Ramet. */
export type Peers = {
  /** Of Debian's PostgreSQL. */
  readonly version: string;
  dumpAndRestore(): Promise<number>;
  createFromTemplate(): Promise<number>;
  baseBackup(): Promise<number>;
  templateBesideClients(): Promise<Beside>;
};

/** `initdb` wants a user that has a name. */
const UNPRIVILEGED = "nobody";

/** A cluster of its own with the same rows; undefined where Debian's PostgreSQL is not installed. `undo` ends it. */
export async function openPeers(
  { place, size }: Pick<Cast, "place" | "size">,
  { signal }: Bench,
  undo: UndoStack,
): Promise<Peers | undefined> {
  const version = await findDebianVersion();
  if (version === undefined) return undefined;
  const folder = await mkdtemp(path.join(place.folder, "peers-"));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const cluster = await createCluster({ folder, version, signal });
  const { file, user } = cluster;
  const args = ["-D", path.join(folder, "cluster"), "-k", folder, "-c", "listen_addresses="];
  const postgres = await serve(
    { file: file("postgres"), args, folder, environment: CLEAN, user },
    "SIGINT",
  );
  undo.push(() => postgres.stop());
  await untilConnected(loginTo(folder, "postgres"), signal);
  await query(folder, "postgres", "CREATE DATABASE source");
  await query(folder, "source", fillStatement(size));
  const bytes = await query(folder, "source", "SELECT pg_database_size('source') AS value");
  requireSize(Number(bytes), size);
  await query(folder, "source", "CHECKPOINT");
  const running = { folder, user, signal, file, login: (name: string) => loginTo(folder, name) };
  return {
    version,
    baseBackup: () => measureBaseBackup(running),
    templateBesideClients: () => measureBesideClients(running),
    dumpAndRestore: () =>
      measureCopy(folder, async () => {
        await query(folder, "postgres", "CREATE DATABASE copy");
        const login = `-h ${folder} -U ${UNPRIVILEGED}`;
        const pipe = `'${file("pg_dump")}' ${login} source | '${file("psql")}' ${login} -q -v ON_ERROR_STOP=1 copy`;
        const command = ["-o", "pipefail", "-c", pipe];
        await run({ file: "bash", args: command, folder: "/", environment: CLEAN, signal });
      }),
    createFromTemplate: () =>
      measureCopy(folder, () => query(folder, "postgres", "CREATE DATABASE copy TEMPLATE source")),
  };
}

const CLEAN = { PATH: "/usr/bin:/bin", LC_ALL: "C" };

type Cluster = { readonly folder: string; readonly version: string; readonly signal: AbortSignal };

/** PostgreSQL's defaults, as Debian makes a cluster: durable, checked, no password on its own socket. */
async function createCluster({ folder, version, signal }: Cluster): Promise<{
  user: User | undefined;
  file: (program: string) => string;
}> {
  const user = await findUser(signal);
  await chmod(folder, 0o711);
  await mkdir(path.join(folder, "cluster"), { mode: 0o700 });
  if (user !== undefined)
    for (const one of [folder, path.join(folder, "cluster")]) await chown(one, user.uid, user.gid);
  const file = (program: string): string => debianProgram(version, program);
  const options = ["-A", "trust", "-U", UNPRIVILEGED, "-E", "UTF8", "--locale=C"];
  const args = ["-D", path.join(folder, "cluster"), ...options];
  await run({ file: file("initdb"), args, folder, environment: CLEAN, signal, user });
  return { user, file };
}

/** Root may not run PostgreSQL. */
async function findUser(signal: AbortSignal): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const ask = async (flag: string): Promise<number> => {
    const args = [flag, UNPRIVILEGED];
    return Number(await run({ file: "id", args, folder: "/", environment: CLEAN, signal }));
  };
  return { uid: await ask("-u"), gid: await ask("-g") };
}

/** Until the copy answers; it is dropped again. */
async function measureCopy(folder: string, copy: () => Promise<unknown>): Promise<number> {
  const { ms } = await time(async () => {
    await copy();
    await query(folder, "copy", "SELECT 1 AS value");
  });
  await query(folder, "postgres", "DROP DATABASE copy");
  return ms;
}

/** On a connection of its own: no database is a template while anyone is in it. */
async function query(folder: string, database: string, sql: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: loginTo(folder, database) });
  await client.connect();
  try {
    const { rows } = await client.query<{ value: string }>(sql);
    return rows[0]?.value;
  } finally {
    await client.end();
  }
}

function loginTo(folder: string, database: string): string {
  return `postgres://${UNPRIVILEGED}@/${database}?host=${folder}`;
}
