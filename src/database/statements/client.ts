import { Client } from "pg";

import { monotonicMs, sleep } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { databaseUnreachable } from "../place/problems.ts";
import { ADMIN_ROLE, SOCKET_PORT } from "../place/settings.ts";

export type Login = {
  readonly socketFolder: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `ours`: what was set for the role or the database by SQL must not stop us. */
  readonly settings: "ours" | "theirs";
  /** The server's major version. */
  readonly major: number;
};

/** As superuser, in the database that belongs to nobody else. */
export function adminLogin(
  server: Pick<Login, "socketFolder" | "password" | "major">,
  database = "postgres",
): Login {
  return { ...server, user: ADMIN_ROLE, database, settings: "ours" };
}

/** A statement of whoever went away ends soon. */
const ALWAYS = "-c client_connection_check_interval=500";
const OURS = "-c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off";
const OURS_SINCE_17 = "-c transaction_timeout=0";
/** A superuser calls no function that the app put before PostgreSQL's own, in a path set for its database, and is itself. */
const ADMINS = "-c search_path=pg_catalog -c role=none";

/** A server that answers at all answers sooner; one under full load needs longer to fork a session. */
const CONNECT_LIMIT_MS = 15_000;
const END_LIMIT_MS = 5_000;
/** Said while it starts, recovers or stops. */
const CANNOT_CONNECT_NOW = "57P03";
const RECOVERY_STEP_MS = 10;
/** For the longest of our own statements, a mask over all rows. */
const OUR_LIMIT_MS = 30 * 60_000;

/**
 * Connects, works, and ends the session whatever happens; an abort cuts it, whatever the server is waiting for.
 * @throws `database_unreachable`, or the signal's reason
 */
export async function withClient<T>(
  login: Login,
  work: (client: Client) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const client = await connect(login);
  const cut = (): void => void client.connection.stream.destroy();
  signal?.addEventListener("abort", cut);
  try {
    signal?.throwIfAborted();
    return await work(client);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cut);
    await endClient(client);
  }
}

/** The same, for whom it is not over when the server has let go of the session. @throws `database_unreachable` */
export async function inPassing<T>(login: Login, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(login);
  try {
    return await work(client);
  } finally {
    endClient(client).catch(() => {
      // It is over either way: what was asked of it has been answered, or has failed.
    });
  }
}

/**
 * The caller ends it. A server that crashes, or recovers from that, is waited for; other SQL errors of the connecting
 * itself are thrown as they are. @throws `database_unreachable`
 */
export async function connect(login: Login): Promise<Client> {
  const end = monotonicMs() + CONNECT_LIMIT_MS;
  for (;;) {
    const client = createClient(login);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => {
        // It never was connected: that is what is thrown.
      });
      if (isLasting(error) || monotonicMs() >= end)
        throw isSqlError(error) ? error : databaseUnreachable(messageOf(error));
    }
    await sleep(RECOVERY_STEP_MS);
  }
}

/** Whether the next try would meet it too: one that was let in and thrown out again met a crash. */
function isLasting(error: unknown): boolean {
  if (isSqlError(error)) return error.code !== CANNOT_CONNECT_NOW;
  return !/ECONNRESET|EPIPE|^Connection terminated unexpectedly/.test(messageOf(error));
}

/** Says goodbye; a server that does not answer is left. */
export async function endClient(client: Client): Promise<void> {
  const limit = AbortSignal.timeout(END_LIMIT_MS);
  const leave = (): void => {
    client.connection.stream.destroy();
  };
  limit.addEventListener("abort", leave);
  try {
    await client.end();
  } finally {
    limit.removeEventListener("abort", leave);
  }
}

export function isSqlError(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    "severity" in error &&
    "code" in error &&
    typeof error.code === "string"
  );
}

function createClient(login: Login): Client {
  const { socketFolder, user, password, database, settings } = login;
  const client = new Client({
    host: socketFolder,
    port: SOCKET_PORT,
    user,
    password,
    database,
    // Each that is left open is read from our own environment's PG* variables.
    ssl: false,
    client_encoding: "UTF8",
    application_name: "ramet",
    options: formatOptions(login),
    ...(settings === "ours" ? { query_timeout: OUR_LIMIT_MS } : {}),
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
  });
  client.on("error", () => {
    // A lost connection: the query that is under way, or the next one, throws it.
  });
  return client;
}

function formatOptions({ settings, user, major }: Login): string {
  const options = [ALWAYS];
  if (settings === "ours") options.push(OURS);
  if (settings === "ours" && major >= 17) options.push(OURS_SINCE_17);
  if (user === ADMIN_ROLE) options.push(ADMINS);
  return options.join(" ");
}
