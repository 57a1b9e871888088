import type { DatabaseLimits } from "../../environment/manifest.ts";

/** The superuser: for us alone. */
export const ADMIN_ROLE = "ramet";
/** The role's name inside every server; it owns the environment's database. */
export const APP_ROLE = "app";
/** Part of a socket's file name; no TCP port. */
export const SOCKET_PORT = 5432;

/** At a time, for one source; more forks wait for their turn. */
export const MAX_BACKUPS = 8;
/** As many as PostgreSQL's own default. */
const MOST_APP_CONNECTIONS = 100;
/** Each copy takes two. */
const ADMIN_CONNECTIONS = 2 * MAX_BACKUPS + 2;
/** The rest is for us: forks of a source whose app has taken all of its own. */
const ALL_CONNECTIONS = MOST_APP_CONNECTIONS + ADMIN_CONNECTIONS;

export type ServerDescription = {
  /** Shown in the server's process titles. */
  readonly name: string;
  readonly socketFolder: string;
  /** True where other users of the machine must reach the socket; a password is asked for all the same. */
  readonly shared: boolean;
  /** PostgreSQL's major version. */
  readonly major: number;
  readonly limits: DatabaseLimits;
};

/** `postgresql.conf` of an environment's server: many of them run on one machine, most of them idle. */
export function formatSettings(server: ServerDescription): string {
  const { name, socketFolder, shared, major, limits } = server;
  return [
    "# Written by ramet at every start; changes are lost.",
    `cluster_name = ${quote(name)}`,
    "listen_addresses = ''",
    `port = ${SOCKET_PORT}`,
    `unix_socket_directories = ${quote(`"${socketFolder.replaceAll('"', '""')}"`)}`,
    `unix_socket_permissions = ${shared ? "0777" : "0700"}`,
    ...formatLimits(limits),
    ...SETTINGS,
    ...NEWER.filter(({ since }) => major >= since).map(({ setting }) => setting),
    "",
  ].join("\n");
}

/** `pg_hba.conf`: who is asked for a password; whoever is not named is refused. */
export function formatAccess(roles: "admin" | "all"): string {
  const named = roles === "all" ? "all" : ADMIN_ROLE;
  // `all` databases do not mean the stream of changes, which is for us alone.
  const lines = [`local all ${named}`, `local replication ${ADMIN_ROLE}`];
  return ["# Written by ramet.", ...lines.map((line) => `${line} scram-sha-256`), ""].join("\n");
}

export type StandbySettings = {
  /** Of the server that it follows. */
  readonly socketFolder: string;
  readonly adminPassword: string;
  /** In that server. */
  readonly slot: string;
  readonly name: string;
};

/** `postgresql.auto.conf` of a standby; a copy of its folder leaves it out, and its promotion removes it. */
export function formatStandby({
  socketFolder,
  adminPassword,
  slot,
  name,
}: StandbySettings): string {
  const parameters = {
    host: socketFolder,
    port: String(SOCKET_PORT),
    user: ADMIN_ROLE,
    password: adminPassword,
    application_name: name,
    sslmode: "disable",
    gssencmode: "disable",
  };
  const conninfo = Object.entries(parameters).map(
    ([key, value]) => `${key}='${value.replaceAll(/[\\']/g, "\\$&")}'`,
  );
  return [
    "# Written by ramet.",
    `primary_conninfo = ${quote(conninfo.join(" "))}`,
    `primary_slot_name = ${quote(slot)}`,
    "wal_retrieve_retry_interval = 500ms",
    "",
  ].join("\n");
}

/**
 * The app's role can change none of the file; but `statement_timeout` is each session's own to set. The number of all
 * connections is the same everywhere, since a standby needs as many as its source: what the app may not have is kept
 * for superusers.
 */
function formatLimits(limits: DatabaseLimits): readonly string[] {
  const { connections, statementTimeoutMs, tempFileBytes } = limits;
  const kilobytes = tempFileBytes === null ? -1 : Math.ceil(tempFileBytes / 1024);
  return [
    `max_connections = ${ALL_CONNECTIONS}`,
    `superuser_reserved_connections = ${ALL_CONNECTIONS - Math.min(connections, MOST_APP_CONNECTIONS)}`,
    `statement_timeout = ${statementTimeoutMs ?? 0}`,
    `temp_file_limit = ${kilobytes}`,
  ];
}

const SETTINGS = [
  "password_encryption = scram-sha-256",
  "client_connection_check_interval = 5s",

  "# Small at rest.",
  "shared_buffers = 16MB",
  "huge_pages = off",
  "jit = off",
  "max_worker_processes = 4",
  "max_parallel_workers = 2",
  "max_logical_replication_workers = 0",
  "autovacuum_max_workers = 2",
  "autovacuum_naptime = 1min",

  "# Durable, and ready to be forked; small segments are cheap to copy.",
  "fsync = on",
  "full_page_writes = on",
  "wal_level = replica",
  "max_wal_senders = 20",
  "max_replication_slots = 20",
  // Beyond what a copy under full load needs: a standby that nobody follows up any more must not fill the disk.
  "max_slot_wal_keep_size = 4GB",
  "wal_init_zero = off",
  "wal_recycle = off",
  "min_wal_size = 2MB",
  "max_wal_size = 256MB",

  "# Everything the server says goes to the one file that we opened.",
  "log_destination = stderr",
  "logging_collector = off",
  "log_line_prefix = '%m [%p] '",
  "log_checkpoints = off",

  "# The same on every machine.",
  "timezone = 'UTC'",
  "log_timezone = 'UTC'",
  "datestyle = 'iso, mdy'",
  "lc_messages = 'C'",
  "lc_monetary = 'C'",
  "lc_numeric = 'C'",
  "lc_time = 'C'",
  "default_text_search_config = 'pg_catalog.english'",
];

/** Settings that older versions do not know, and would not start with. */
const NEWER = [
  { since: 18, setting: "io_method = sync" },
  { since: 18, setting: "autovacuum_worker_slots = 3" },
];

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
