/** The long-running program: wires the rooms, answers calls on a unix socket, opens both gateways. */
import { chmod, mkdir } from "node:fs/promises";
import path from "node:path";

import { isoTime, systemClock } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import { openWireGateway } from "../database/database.ts";
import { openEngine } from "../engine/engine.ts";
import type { Engine } from "../engine/engine.ts";
import { openGateway } from "../gateway/gateway.ts";
import type { Home } from "../protocol/home.ts";
import { findPostgresBin } from "../protocol/postgres-bin.ts";
import type { ServerStatus } from "../protocol/schemas.ts";
import { openCallServer } from "./call-server.ts";
import { listInherited } from "./inherited.ts";
import { acquireLock } from "./lock.ts";
import type { Lock } from "./lock.ts";
import { noFreePort } from "./problems.ts";
import { findTarget, findWireRoute } from "./routes.ts";
import { readServerFile, requireToken, writeServerFile } from "./server-file.ts";
import type { ServerFile } from "./server-file.ts";
import { untilVanished } from "./vanishing.ts";

export type ServeOptions = {
  readonly home: Home;
  readonly version: string;
  /** How to run a keeper: program and arguments, before its socket. */
  readonly keeperProgram: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the server; its environments go on. */
  readonly signal: AbortSignal;
  readonly log: (text: string) => void;
  readonly checkpoint?: (step: string) => Promise<void> | void;
};

const FIRST_GATEWAY_PORT = 7420;
const PORTS_TRIED = 200;
const HOST = "127.0.0.1";

/** Serves until the signal or a call ends it. Resolves with the exit code; 0 at once where another server has this home. */
export async function serve(options: ServeOptions): Promise<number> {
  const { home } = options;
  await makeFolders(home);
  const lock = await acquireLock(path.join(home.folder, "server.lock"), home.socket);
  if (lock === undefined) {
    options.log("Another server keeps this home already.");
    return 0;
  }
  try {
    await serveAlone(options, lock);
    return 0;
  } finally {
    await lock.release();
  }
}

async function serveAlone(options: ServeOptions, lock: Lock): Promise<void> {
  const { home, log } = options;
  const recorded = await readServerFile(home.serverFile);
  const left = Promise.withResolvers<Reason>();
  options.signal.addEventListener("abort", () => left.resolve("signal"), { once: true });
  const opening = openParts(options, recorded);
  const calls = await openCallServer({
    socket: home.socket,
    token: await requireToken(home.token),
    session: async () => {
      const { engine, status } = await opening;
      return { engine, status, leave: () => left.resolve("call") };
    },
    log,
  });
  const parts = await opening;
  log(
    `Serving ${home.folder}: gateway ${parts.file.gatewayPort}, databases ${parts.file.databasePort}.`,
  );
  const watching = new AbortController();
  const reason = await Promise.race([left.promise, untilVanished(home, watching.signal)]);
  watching.abort();
  await parts.close();
  if (reason === "home") await parts.engine.abandon();
  else await writeServerFile(home.serverFile, { ...parts.file, pid: null, startedAt: null });
  log(`The server leaves: ${REASONS[reason]}.`);
  await lock.release();
  // Last: whoever waits until nothing answers finds a home that nobody writes to.
  await calls.close();
}

type Reason = "signal" | "call" | Awaited<ReturnType<typeof untilVanished>>;

const REASONS: Readonly<Record<Reason, string>> = {
  signal: "a signal asked for it",
  call: "a call asked for it",
  home: "its home was removed",
  socket: "its socket was removed",
};

type OpenParts = {
  readonly engine: Engine;
  readonly file: ServerFile;
  readonly status: () => ServerStatus;
  close(): Promise<void>;
};

async function openParts(options: ServeOptions, recorded: ServerFile): Promise<OpenParts> {
  const { home, log } = options;
  let engine: Engine | undefined;
  const gateway = await openOnFreePort(recorded.gatewayPort, FIRST_GATEWAY_PORT, async (port) =>
    openGateway({
      host: HOST,
      port,
      find: (name) => (engine === undefined ? undefined : findTarget(engine, name)),
    }),
  );
  const wire = await openOnFreePort(recorded.databasePort, gateway.port + 1, async (port) =>
    openWireGateway({
      host: HOST,
      port,
      find: (user) => (engine === undefined ? undefined : findWireRoute(engine, user)),
      keys: path.join(home.folder, "keys"),
    }),
  );
  const file = {
    ...recorded,
    gatewayPort: gateway.port,
    databasePort: wire.port,
    ...describeSelf(options),
  };
  await writeServerFile(home.serverFile, file);
  engine = await openEngine({
    home: { folder: home.folder, sockets: home.sockets, id: recorded.homeId },
    clock: systemClock,
    keeperProgram: options.keeperProgram,
    inherited: listInherited(options.environment),
    postgresBin: findPostgresBin(options.environment, home.folder) ?? null,
    listeners: () => ({ gatewayPort: gateway.port, databasePort: wire.port }),
    log,
    ...(options.checkpoint === undefined ? {} : { checkpoint: options.checkpoint }),
  });
  return {
    engine,
    file,
    status: () => ({ running: true, home: home.folder, ...withoutId(file) }),
    close: async () => {
      await Promise.all([gateway.close(), wire.close()]);
      await engine?.close();
    },
  };
}

/** The port it had is taken again, so that addresses stay good; else the first free one from `first` on. */
async function openOnFreePort<T>(
  before: number | null,
  first: number,
  open: (port: number) => Promise<T>,
): Promise<T> {
  const rest = Array.from({ length: PORTS_TRIED }, (_, index) => first + index);
  for (const port of before === null ? rest : [before, ...rest]) {
    try {
      return await open(port);
    } catch (error) {
      if (!hasErrorCode(error, "EADDRINUSE")) throw error;
    }
  }
  throw noFreePort(first);
}

function describeSelf({
  version,
}: ServeOptions): Pick<ServerFile, "pid" | "startedAt" | "version"> {
  return { pid: process.pid, startedAt: isoTime(systemClock), version };
}

function withoutId({
  pid,
  version,
  gatewayPort,
  databasePort,
  startedAt,
}: ServerFile): Omit<ServerStatus, "running" | "home"> {
  return { pid, version, gatewayPort, databasePort, startedAt };
}

/** As root 0711 down to what other uids must reach, else the user's alone. */
async function makeFolders(home: Home): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  for (const folder of [home.folder, home.sockets]) {
    await mkdir(folder, { recursive: true, mode });
    await chmod(folder, mode);
  }
}
