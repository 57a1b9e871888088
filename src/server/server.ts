/**
 * The long-running program: wires the rooms, answers calls on a unix socket, opens both gateways. Its folders, each built
 * on those before it: `presence/`, that a home has one server, which can be found; `addresses/`, what leads to
 * environments from outside; `trees/`, those visited from afar; `session/`, what a call works with; `calls/`, one file
 * each; `answering/`, who may ask what, and how it is answered; and `afar/`, the door for other machines.
 */
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import path from "node:path";

import { openAccess } from "../access/access.ts";
import { isoTime, sleep, systemClock, untilAborted } from "../base/clock.ts";
import { messageOf } from "../base/problem.ts";
import { UndoStack } from "../base/undo-stack.ts";
import { openEngine } from "../engine/engine.ts";
import type { Engine } from "../engine/engine.ts";
import { openCertificates } from "../gateway/gateway.ts";
import type { Home } from "../protocol/home.ts";
import { findPostgresBin } from "../protocol/postgres-bin.ts";
import type { ServerStatus } from "../protocol/schemas.ts";
import { openStorage } from "../storage/storage.ts";
import type { OpenStorage } from "../storage/storage.ts";
import { TENDER_PROGRAM } from "../sync/sync.ts";
import { OwnDomain } from "./addresses/domain.ts";
import { Fronts } from "./addresses/fronts.ts";
import { openListeners } from "./addresses/listeners.ts";
import { formatListenArguments } from "./afar/listen-address.ts";
import type { ListenRequest } from "./afar/listen-address.ts";
import { openCallServer } from "./answering/call-server.ts";
import { openDoors } from "./doors.ts";
import { listInherited } from "./inherited.ts";
import { LEAVE_LIMITS, leaving, NOT_LET_GO } from "./leaving.ts";
import type { LeaveLimits, Leaving } from "./leaving.ts";
import { acquireLock } from "./presence/lock.ts";
import type { Lock } from "./presence/lock.ts";
import { serverStarted, storageMoving } from "./presence/problems.ts";
import { readServerFile, requireToken, writeServerFile } from "./presence/server-file.ts";
import type { ServerFile } from "./presence/server-file.ts";
import { untilNext } from "./presence/succession.ts";
import { untilVanished } from "./presence/vanishing.ts";
import type { Session } from "./session/session.ts";
import { ServedTrees } from "./trees/served-trees.ts";

export type ServeOptions = {
  readonly home: Home;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where calls from afar are answered as well; absent: nowhere. */
  readonly listen?: ListenRequest | undefined;
  /** Ends the server; its environments go on. */
  readonly signal: AbortSignal;
  readonly log: (text: string) => void;
  /** How long what is given up may take when it leaves. */
  readonly letGoMs?: LeaveLimits["letGoMs"];
  readonly checkpoint?: (step: string) => Promise<void> | void;
};

/** How long a server that cannot serve waits for someone to tell. */
const REFUSAL_LIMIT_MS = 10_000;
const NO_STORAGE: OpenStorage = {
  assertMounted: async () => undefined,
  close: async () => undefined,
  abandon: async () => undefined,
};

/** Serves until the signal or a call ends it. Resolves with the exit code; 0 at once where another server has this home. @throws `server_started` where that is not enough */
export async function serve(options: ServeOptions): Promise<number> {
  const { home } = options;
  await makeFolders(home);
  const lock = await acquireLock(path.join(home.folder, "server.lock"), home.socket);
  if (lock === undefined) {
    // Whoever is to be reached from elsewhere is not, by that one.
    if (options.listen !== undefined) throw serverStarted(home.folder);
    options.log("Another server keeps this home already.");
    return 0;
  }
  try {
    // Whoever started it may have been told meanwhile that another is there.
    if (!options.signal.aborted) await serveAlone(options, lock);
    return 0;
  } finally {
    await lock.release();
  }
}

/** Does work on a home that no server keeps meanwhile; whoever asks one is told so. @throws `server_started` */
export async function workAlone<T>(home: Home, work: () => Promise<T>): Promise<T> {
  await mkdir(home.sockets, { recursive: true });
  const lock = await acquireLock(path.join(home.folder, "server.lock"), home.socket);
  if (lock === undefined) throw serverStarted(home.folder);
  const undo = new UndoStack();
  undo.push(() => lock.release());
  try {
    const calls = await openCallServer({
      socket: home.socket,
      token: await requireToken(home.token),
      session: async () => Promise.reject(storageMoving(home.folder)),
      log: () => undefined,
    });
    undo.push(() => calls.close());
    await giveToOwner(home);
    return await work();
  } finally {
    await undo.undo();
  }
}

async function serveAlone(options: ServeOptions, lock: Lock): Promise<void> {
  const { home, log } = options;
  const recorded = await readServerFile(home.serverFile);
  const left = Promise.withResolvers<Reason>();
  const refused = Promise.withResolvers<void>();
  void untilAborted(options.signal).then(() => left.resolve("signal"));
  const access = await openAccess(home.folder, systemClock);
  const opening = Promise.withResolvers<OpenParts>();
  // Where it cannot listen, nothing else is opened either.
  const calls = await openDoors({ ...options, access }, async (name) => {
    const { storage, ...parts } = await opening.promise.catch((error: unknown) => {
      refused.resolve();
      throw error;
    });
    if (!name.startsWith("server.")) await storage.assertMounted();
    const { PATH: searchPath = "" } = options.environment;
    return { ...parts, access, searchPath, leave: (how) => left.resolve(how) };
  });
  openParts(options, recorded).then(opening.resolve, opening.reject);
  const parts = await opening.promise.catch(async (error: unknown) => {
    // Whoever started it hears why it cannot serve.
    await Promise.race([refused.promise, sleep(REFUSAL_LIMIT_MS)]);
    await calls.close();
    throw error;
  });
  log(
    `Serving ${home.folder}: gateway ${parts.file.gatewayPort}, databases ${parts.file.databasePort}.`,
  );
  const watching = new AbortController();
  const reason = await Promise.race([left.promise, untilVanished(home, watching.signal)]);
  watching.abort();
  const { over, isLetGo } = await parts.leave();
  // What could not be given up ends with this process, before anybody takes its place.
  if (!isLetGo) return log(NOT_LET_GO);
  if (reason !== "left") await parts.close();
  await closeStorage(parts, reason, log);
  if (reason === "home") await parts.engine.abandon();
  else await writeServerFile(home.serverFile, { ...parts.file, pid: null, startedAt: null });
  log(`The server leaves: ${REASONS[reason]}.`);
  // Last: whoever waits until nothing answers finds a home that nobody writes to. The socket goes at once, before the lock:
  // whoever has that next puts his own there.
  await Promise.all([calls.close(), lock.release()]);
  if (reason !== "left") return;
  await Promise.race([over, untilNext(home.serverFile)]);
  await parts.close();
}

type Reason = "signal" | "stopped" | "left" | Awaited<ReturnType<typeof untilVanished>>;

const REASONS: Readonly<Record<Reason, string>> = {
  signal: "a signal asked for it",
  stopped: "it was asked to stop",
  left: "it was asked to leave",
  home: "its home was removed",
  socket: "its socket was removed",
};

type OpenParts = Leaving &
  Pick<Session, "engine" | "certificates" | "domain" | "fronts" | "trees" | "status"> & {
    readonly storage: OpenStorage;
    readonly file: ServerFile;
  };

async function openParts(options: ServeOptions, recorded: ServerFile): Promise<OpenParts> {
  const { home, log, letGoMs = LEAVE_LIMITS.letGoMs } = options;
  const keys = path.join(home.folder, "keys");
  const domain = new OwnDomain(path.join(home.folder, "domain.json"));
  await domain.start();
  const certificates = openCertificates(keys, systemClock, async (name) => domain.findPair(name));
  const opened = Promise.withResolvers<Engine>();
  let fronts: Fronts | undefined;
  let storage = NO_STORAGE;
  const { gateway, wire } = await openListeners(recorded, {
    home,
    keys,
    certificates,
    domain,
    engine: opened.promise,
  });
  const ports = { gatewayPort: gateway.port, databasePort: wire.port };
  const file = { ...recorded, ...ports, ...describeSelf(options) };
  await writeServerFile(home.serverFile, { ...file, startedAt: null });
  const engine = await openEngine({
    home: { folder: home.folder, sockets: home.sockets, id: recorded.homeId },
    clock: systemClock,
    tenderProgram: TENDER_PROGRAM,
    inherited: listInherited(options.environment),
    postgresBin: findPostgresBin(options.environment, home.folder) ?? null,
    fronts: (id) => ({
      fronts: fronts?.list(id) ?? [],
      frontProblems: fronts?.problems(id) ?? [],
      domain: domain.get()?.name ?? null,
    }),
    listeners: () => ports,
    log,
    openData: async (shared) => {
      storage = await openStorage(home.folder, shared);
    },
    ...(options.checkpoint === undefined ? {} : { checkpoint: options.checkpoint }),
  });
  opened.resolve(engine);
  fronts = new Fronts(path.join(home.folder, "fronts.json"), engine, certificates);
  await fronts.start();
  const trees = new ServedTrees(engine, systemClock);
  const letGo = async (): Promise<void> => trees.closeAll().then(async () => engine.close());
  await writeServerFile(home.serverFile, file);
  return {
    engine,
    trees,
    certificates,
    domain,
    fronts,
    storage,
    file,
    status: () => describeStatus(options, file),
    ...leaving([gateway, wire, fronts], letGo, { ...LEAVE_LIMITS, letGoMs }),
  };
}

/** What nobody uses is unmounted; where that fails, the next start finds it mounted. */
async function closeStorage(
  { storage }: OpenParts,
  reason: Reason,
  log: (text: string) => void,
): Promise<void> {
  try {
    if (reason === "home") await storage.abandon();
    if (reason === "stopped") await storage.close();
  } catch (error) {
    log(messageOf(error));
  }
}

function describeSelf({
  version,
}: ServeOptions): Pick<ServerFile, "pid" | "startedAt" | "version"> {
  return { pid: process.pid, startedAt: isoTime(systemClock), version };
}

function describeStatus({ home, listen }: ServeOptions, file: ServerFile): ServerStatus {
  const { folder, sockets } = home;
  const { pid, version, gatewayPort, databasePort, startedAt } = file;
  const databaseSocket = path.join(sockets, `.s.PGSQL.${databasePort}`);
  const listeners = { gatewayPort, databasePort, databaseSocket };
  const listenArguments = listen === undefined ? null : [...formatListenArguments(listen)];
  return { running: true, home: folder, pid, version, startedAt, listenArguments, ...listeners };
}

/** Root may work on another user's home, whose commands are to read what it left there. */
async function giveToOwner({ folder, sockets, socket, token }: Home): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  for (const file of [sockets, socket, token]) await chown(file, uid, gid);
}

/** As root 0711 down to what other uids must reach, else the user's alone. */
async function makeFolders(home: Home): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  for (const folder of [home.folder, home.sockets]) {
    await mkdir(folder, { recursive: true, mode });
    await chmod(folder, mode);
  }
}
