/** Copies of a database of Debian's PostgreSQL while clients are connected to it. */
import { rm } from "node:fs/promises";
import path from "node:path";

import pg from "pg";

import { messageOf } from "../../src/base/problem.ts";
import { time } from "./figures.ts";
import { untilConnected } from "./floor.ts";
import { run, serve } from "./program.ts";
import type { User } from "./program.ts";

export type Cluster = {
  readonly folder: string;
  readonly user: User | undefined;
  readonly signal: AbortSignal;
  file(program: string): string;
  login(database: string): string;
};

/** What `CREATE DATABASE … TEMPLATE` does to a source that is in use. */
export type Beside = {
  /** What it answers while anybody is connected, and after how many milliseconds. */
  readonly refusal: string;
  readonly refusedMs: number;
  /** Once its clients were thrown out: until the copy is there, while nobody may connect. */
  readonly frozenMs: number;
  readonly ended: number;
};

const CLIENTS = 4;
const ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C" };

/** Until a server answers on a copy of the whole cluster. */
export async function measureBaseBackup(cluster: Cluster): Promise<number> {
  const { folder, user, signal } = cluster;
  const [copy, sockets] = [path.join(folder, "backup"), path.join(folder, "b")];
  await run({
    file: "install",
    args: ["-d", ...ownedBy(user), sockets],
    folder: "/",
    environment: ENVIRONMENT,
    signal,
  });
  let stop: (() => Promise<void>) | undefined;
  try {
    const { ms } = await time(async () => {
      const login = ["-d", cluster.login("postgres")];
      const args = [...login, "-D", copy, "-X", "stream", "-c", "fast"];
      await run({
        file: cluster.file("pg_basebackup"),
        args,
        folder,
        environment: ENVIRONMENT,
        signal,
        user,
      });
      const serving = ["-D", copy, "-k", sockets, "-c", "listen_addresses="];
      const postgres = await serve(
        { file: cluster.file("postgres"), args: serving, folder, environment: ENVIRONMENT, user },
        "SIGINT",
      );
      stop = () => postgres.stop();
      await untilConnected(cluster.login("source").replace(folder, sockets), signal);
    });
    return ms;
  } finally {
    await stop?.();
    await rm(copy, { recursive: true, force: true });
    await rm(sockets, { recursive: true, force: true });
  }
}

/** The copy is dropped again. */
export async function measureBesideClients(cluster: Cluster): Promise<Beside> {
  const admin = new pg.Client({ connectionString: cluster.login("postgres") });
  const clients = Array.from({ length: CLIENTS }, () => openClient(cluster.login("source")));
  await admin.connect();
  try {
    await Promise.all(clients.map(async (client) => client.connect()));
    const refused = await time(async () =>
      admin.query("CREATE DATABASE copy TEMPLATE source").then(() => "it was not", messageOf),
    );
    const frozen = await time(async () => copyAlone(admin));
    return {
      refusal: refused.value,
      refusedMs: refused.ms,
      frozenMs: frozen.ms,
      ended: frozen.value,
    };
  } finally {
    await admin.query("DROP DATABASE IF EXISTS copy");
    await admin.end();
    for (const client of clients) await client.end();
  }
}

/** Resolves with how many sessions it ended. */
async function copyAlone(admin: pg.Client): Promise<number> {
  await admin.query("CHECKPOINT");
  await admin.query("ALTER DATABASE source ALLOW_CONNECTIONS false");
  try {
    const { rowCount } = await admin.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'source'",
    );
    await admin.query("CREATE DATABASE copy TEMPLATE source");
    return rowCount ?? 0;
  } finally {
    await admin.query("ALTER DATABASE source ALLOW_CONNECTIONS true");
  }
}

function openClient(connectionString: string): pg.Client {
  const client = new pg.Client({ connectionString });
  // It is thrown out: that is what is measured.
  client.on("error", () => undefined);
  return client;
}

function ownedBy(user: User | undefined): readonly string[] {
  return user === undefined ? [] : ["-o", String(user.uid), "-g", String(user.gid)];
}
