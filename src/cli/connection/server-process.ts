import { chmod, mkdir } from "node:fs/promises";

import { monotonicMs, waitFor } from "../../base/clock.ts";
import { hasErrorCode, messageOf, Problem } from "../../base/problem.ts";
import { isRunning, startDetachedToEnd } from "../../process/process.ts";
import type { Home } from "../../protocol/home.ts";
import { findPostgresBin, POSTGRES_BIN } from "../../protocol/postgres-bin.ts";
import type { ServerStatus } from "../../protocol/schemas.ts";
import type { Context } from "../terminal/context.ts";
import { callServer } from "./client.ts";
import type { CallOptions } from "./client.ts";
import type { Place } from "./place.ts";
import { homeUnusable, serverFailed, serverStuck } from "./problems.ts";
import { readServerLog, sizeOfLog } from "./server-log.ts";

const START_MS = 20_000;
/** A server that ends at once may have found another that is starting, which then answers within this. */
const OTHERS_START_MS = 3_000;
const END_MS = 60_000;
/** One that ends may say nothing any more: it is asked again. */
const SILENCE_MS = 5_000;
/** What the system says where a folder cannot be made. */
const UNUSABLE = ["EACCES", "EEXIST", "ENAMETOOLONG", "ENOTDIR", "EPERM", "EROFS"] as const;
const LAST_LINES = 12;
/** Nobody answers: here, or at a server elsewhere. */
const ABSENT: ReadonlySet<string> = new Set(["server_not_running", "server_unreachable"]);

/** What the running server says of itself; `undefined` when there is none. */
export async function findServer(
  place: Place,
  signal?: AbortSignal,
): Promise<ServerStatus | undefined> {
  return askForStatus(place, { signal });
}

async function askForStatus(place: Place, options: CallOptions): Promise<ServerStatus | undefined> {
  try {
    return await callServer(place, { name: "server.status", input: {} }, options);
  } catch (error) {
    if (error instanceof Problem && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}

/** The same of one that starts or ends: it may take a connection and drop it. */
export async function findStartingServer(
  place: Place,
  signal?: AbortSignal,
): Promise<ServerStatus | undefined> {
  try {
    return await findServer(place, signal);
  } catch (error) {
    if (error instanceof Problem && error.code === "connection_lost") return undefined;
    throw error;
  }
}

/** Starts a server that outlives this command, and waits until it answers. @throws `server_failed` */
export async function startServer(
  context: Context,
  listenArguments: readonly string[] = [],
): Promise<ServerStatus> {
  const { home, program, signal } = context;
  await createHome(context);
  const [file = process.execPath, ...args] = program;
  const logStart = await sizeOfLog(home);
  const { pid, end } = await startDetachedToEnd(
    {
      file,
      args: [...args, "serve", ...listenArguments],
      folder: home.folder,
      environment: pickServerEnvironment(context.environment, context),
      user: null,
    },
    { output: home.serverLog },
  );
  const status = await waitForServer(home, { pid, signal });
  // Another was quicker, and ours may still be on its way: it is not to take that one's place whenever it ends.
  if (status !== undefined && status.pid !== pid) end();
  if (status !== undefined) return status;
  const reason = isRunning(pid)
    ? `it did not answer within ${START_MS / 1000} seconds`
    : "it ended at once";
  throw serverFailed(reason, await readServerLog(home, { last: LAST_LINES, from: logStart }));
}

/**
 * Resolves when the server that was told to end answers no more. Another may: any command starts one that finds none.
 * @throws `server_stuck`
 */
export async function waitUntilGone(
  home: Home,
  told: Pick<ServerStatus, "pid">,
  signal?: AbortSignal,
): Promise<void> {
  const gone = await waitFor(async () => ((await isGone(home, told, signal)) ? true : undefined), {
    timeoutMs: END_MS,
    everyMs: 25,
    ...(signal === undefined ? {} : { signal }),
  });
  if (gone === undefined) throw serverStuck(told.pid);
}

/** A server that answers nobody any more still writes what it has compiled. @throws `server_stuck` */
export async function waitUntilEnded(pid: number, signal?: AbortSignal): Promise<void> {
  const ended = await waitFor(() => (isRunning(pid) ? undefined : true), {
    timeoutMs: END_MS,
    everyMs: 5,
    ...(signal === undefined ? {} : { signal }),
  });
  if (ended === undefined) throw serverStuck(pid);
}

const PASSED_ON = new Set(
  [
    "PATH HOME USER LOGNAME SHELL LANG TZ TMPDIR XDG_RUNTIME_DIR",
    "NODE_EXTRA_CA_CERTS NODE_COMPILE_CACHE SSL_CERT_FILE SSL_CERT_DIR",
    "http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY",
  ].flatMap((names) => names.split(" ")),
);

/** What of the caller's environment a server may have: never what belongs to one project or one shell. */
export function pickServerEnvironment(
  environment: Context["environment"],
  { home, folder }: Pick<Context, "home" | "folder">,
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, text] of Object.entries(environment)) {
    const isPassedOn =
      PASSED_ON.has(name) || name.startsWith("LC_") || name.startsWith("npm_config_");
    if (isPassedOn && text !== undefined) picked[name] = text;
  }
  // The server runs in another folder: a relative path would be another one there.
  if (environment["RAMET_HOME"]) picked["RAMET_HOME"] = home.folder;
  const postgresBin = findPostgresBin(environment, folder);
  if (postgresBin !== undefined) picked[POSTGRES_BIN] = postgresBin;
  return picked;
}

/** Its parents may be there with any mode; as root other users' processes must reach what is theirs below it. @throws `home_unusable` */
export async function createHome({ home, uid }: Context): Promise<void> {
  const created = await mkdir(home.folder, { recursive: true, mode: 0o700 }).catch(
    (error: unknown) => {
      throw hasErrorCode(error, ...UNUSABLE) ? homeUnusable(home.folder, messageOf(error)) : error;
    },
  );
  if (created !== undefined) await chmod(home.folder, uid === 0 ? 0o711 : 0o700);
}

async function waitForServer(
  home: Home,
  { pid, signal }: { pid: number; signal: AbortSignal | undefined },
): Promise<ServerStatus | undefined> {
  let endedAt: number | undefined;
  const answer = await waitFor<ServerStatus | "failed">(
    async () => {
      const status = await findStartingServer(home, signal);
      if (status !== undefined) return status;
      if (!isRunning(pid)) endedAt ??= monotonicMs();
      return endedAt !== undefined && monotonicMs() - endedAt > OTHERS_START_MS
        ? "failed"
        : undefined;
    },
    { timeoutMs: START_MS, everyMs: 20, ...(signal === undefined ? {} : { signal }) },
  );
  return answer === "failed" ? undefined : answer;
}

async function isGone(
  home: Home,
  { pid }: Pick<ServerStatus, "pid">,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const there = await askForStatus(home, { signal, silenceMs: SILENCE_MS });
    return there === undefined || there.pid !== pid;
  } catch (error) {
    // A server that is on its way out may still take the connection and drop it, or say nothing.
    if (error instanceof Problem) return pid !== null && !isRunning(pid);
    throw error;
  }
}
