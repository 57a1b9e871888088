import { chown, mkdir, readdir, realpath, rm } from "node:fs/promises";
import path from "node:path";

import pg from "pg";

import { waitFor } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import type { ProcessManifest } from "../../src/environment/manifest.ts";
import { findManifest } from "../../src/manifest/manifest.ts";
import { findFreePort } from "../../src/process/process.ts";
import { directAddress, untilOk } from "./http.ts";
import { serve } from "./program.ts";
import { requireDatabase } from "./scene.ts";
import type { Scene } from "./scene.ts";
import type { Stage } from "./stage.ts";
import { withUndo } from "./with-undo.ts";

/** Of `$1` to `$2`: folders, then files, with their owners and modes. */
const PARALLEL_COPY = [
  'cd "$1"',
  'mkdir "$2"',
  'find . -mindepth 1 -type d | (cd "$2" && xargs mkdir -p)',
  'find . -type f -print0 | xargs -0 -n 16 -P "$(nproc)" cp -a --parents -t "$2"',
  'if [ "$(id -u)" = 0 ]; then chown -R --reference=. "$2"; fi',
  'chmod 700 "$2"',
].join(" && ");
const CONNECT_LIMIT_MS = 60_000;
const CONNECT_EVERY_MS = 2;

/** Milliseconds of what nobody saves: both folders copied, PostgreSQL started on one, the app's processes on the other. */
export type Floor = { readonly ms: number; readonly copyMs: number; readonly databaseMs: number };

/** By hand and one after another, until each process answers; all of it is gone again when this resolves. `number`: of several at once. */
export async function measureFloor(scene: Scene, number = 0): Promise<Floor> {
  const folder = path.join(scene.stage.folder, `floor-${number}`);
  const began = performance.now();
  const passed = (): number => performance.now() - began;
  return withUndo(async (undo) => {
    undo.push(() => rm(folder, { recursive: true, force: true }));
    await copyFolders(scene, folder);
    const copyMs = passed();
    const login = await startDatabase(scene, folder, undo);
    const databaseMs = passed() - copyMs;
    const where = { folder: path.join(folder, "app"), variables: { DATABASE_URL: login } };
    await startApp(scene.stage, { ...where, signal: scene.bench.signal }, undo);
    return { ms: passed(), copyMs, databaseMs };
  });
}

/** `memory`: as `cp` leaves it; `disk`: a power cut would not take it away. */
export type Reached = "memory" | "disk";

/** The database's part of it alone, its files copied by as many `cp` as there are processors. */
export async function measureDatabaseFloor(scene: Scene, reached: Reached): Promise<number> {
  const { stage, resting } = scene;
  const folder = path.join(stage.folder, "floor-database");
  const began = performance.now();
  return withUndo(async (undo) => {
    undo.push(() => rm(folder, { recursive: true, force: true }));
    await mkdir(folder, { mode: 0o711 });
    await stage.run("sh", "-c", PARALLEL_COPY, "copy", resting.folder, `${folder}/database`);
    if (reached === "disk") await stage.run("sync", "-f", folder);
    await startDatabase(scene, folder, undo);
    return performance.now() - began;
  });
}

/** Asks until a connection is given. @throws the last refusal at the limit */
export async function untilConnected(connectionString: string, signal: AbortSignal): Promise<void> {
  let refusal: unknown;
  const connect = async (): Promise<true | undefined> => {
    const client = new pg.Client({ connectionString });
    try {
      await client.connect();
      return true;
    } catch (error) {
      refusal = error;
      return undefined;
    } finally {
      await client.end();
    }
  };
  const limits = { timeoutMs: CONNECT_LIMIT_MS, everyMs: CONNECT_EVERY_MS, signal };
  if ((await waitFor(connect, limits)) === undefined) throw refusal;
}

async function copyFolders({ stage, resting }: Scene, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o711 });
  const copy = ["-a", "--reflink=auto"];
  await Promise.all([
    stage.run("cp", ...copy, resting.folder, path.join(folder, "database")),
    stage.run("cp", ...copy, stage.app, path.join(folder, "app")),
  ]);
}

/** Resolves with the URL by which an app reaches it. */
async function startDatabase(scene: Scene, folder: string, undo: UndoStack): Promise<string> {
  const { stage, resting, source } = scene;
  const sockets = path.join(folder, "s");
  await mkdir(sockets, { mode: 0o711 });
  if (resting.user !== undefined) await chown(sockets, resting.user.uid, resting.user.gid);
  const args = ["-D", path.join(folder, "database"), "-k", sockets];
  const file = path.join(await findPostgres(scene), "bin", "postgres");
  const environment = { PATH: stage.environment["PATH"], LC_ALL: "C" };
  const launch = { file, args, folder, environment, user: resting.user };
  const postgres = await serve(launch, "SIGQUIT");
  undo.push(() => postgres.stop());
  const { password, pathname } = new URL(requireDatabase(source));
  const login = `postgres://app:${password}@${pathname}?host=${sockets}`;
  await untilConnected(login, scene.bench.signal);
  return login;
}

/** Where Ramet has put the PostgreSQL that runs its environments. */
async function findPostgres({ stage }: Scene): Promise<string> {
  const folder = path.join(await realpath(stage.home), "bin", "postgres");
  const [version] = await readdir(folder);
  if (version === undefined) throw new Error("No PostgreSQL is installed.");
  return path.join(folder, version);
}

export type AppStart = {
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

/** Starts an app's processes by hand; resolves when each answers. */
export async function startApp(
  stage: Stage,
  { folder, variables, signal }: AppStart,
  undo: UndoStack,
): Promise<void> {
  const { processes = {} } = (await findManifest(folder)) ?? {};
  const ports = await choosePorts(processes);
  const told = Object.fromEntries(
    [...ports].map(([name, port]) => [`RAMET_SERVICE_${name.toUpperCase()}_PORT`, String(port)]),
  );
  const environment = { ...stage.environment, ...told, HOST: "127.0.0.1", ...variables };
  for (const [name, { command }] of Object.entries(processes)) {
    const own = { ...environment, PORT: String(ports.get(name) ?? "") };
    const service = await serve(
      { file: "sh", args: ["-c", command], folder, environment: own },
      "SIGKILL",
    );
    undo.push(() => service.stop());
  }
  await Promise.all(
    [...ports].map(async ([name, port]) => {
      const ready = processes[name]?.ready;
      const asked = ready?.kind === "http" ? ready.path : "/";
      await untilOk(directAddress(port, asked), signal);
    }),
  );
}

async function choosePorts(
  processes: Readonly<Record<string, ProcessManifest>>,
): Promise<ReadonlyMap<string, number>> {
  const ports = new Map<string, number>();
  for (const [name, { port }] of Object.entries(processes))
    if (port) ports.set(name, await findFreePort());
  return ports;
}
