/** The superuser: for us alone. */
export const ADMIN_ROLE = "ramet";
/** The role's name inside every server; it owns the environment's database. */
export const APP_ROLE = "app";
/** Part of a socket's file name; no TCP port. */
export const SOCKET_PORT = 5432;

/** At a time, for one source; more forks wait for their turn. */
export const MAX_BACKUPS = 8;
const APP_CONNECTIONS = 50;
/** Each copy takes two. */
const ADMIN_CONNECTIONS = 2 * MAX_BACKUPS + 2;

export type ServerIdentity = {
  /** Shown in the server's process titles. */
  readonly name: string;
  readonly socketFolder: string;
  /** True where other users of the machine must reach the socket; a password is asked for all the same. */
  readonly shared: boolean;
};

/** `postgresql.conf` of an environment's server: many of them run on one machine, most of them idle. */
export function formatSettings({ name, socketFolder, shared }: ServerIdentity): string {
  return [
    "# Written by ramet at every start; changes are lost.",
    `cluster_name = ${quote(name)}`,
    "listen_addresses = ''",
    `port = ${SOCKET_PORT}`,
    `unix_socket_directories = ${quote(`"${socketFolder.replaceAll('"', '""')}"`)}`,
    `unix_socket_permissions = ${shared ? "0777" : "0700"}`,
    ...SETTINGS,
    "",
  ].join("\n");
}

/** `pg_hba.conf`: who is asked for a password; whoever is not named is refused. */
export function formatAccess(roles: "admin" | "all"): string {
  return `# Written by ramet.\nlocal all ${roles === "all" ? "all" : ADMIN_ROLE} scram-sha-256\n`;
}

const SETTINGS = [
  // The rest is for us: forks of a source whose app has taken all of its own.
  `max_connections = ${APP_CONNECTIONS + ADMIN_CONNECTIONS}`,
  `superuser_reserved_connections = ${ADMIN_CONNECTIONS}`,
  "password_encryption = scram-sha-256",
  "client_connection_check_interval = 5s",

  "# Small at rest.",
  "shared_buffers = 16MB",
  "huge_pages = off",
  "io_method = sync",
  "jit = off",
  "max_worker_processes = 4",
  "max_parallel_workers = 2",
  "max_logical_replication_workers = 0",
  "autovacuum_worker_slots = 3",
  "autovacuum_max_workers = 2",
  "autovacuum_naptime = 1min",

  "# Durable, and ready to be forked; small segments are cheap to copy.",
  "fsync = on",
  "full_page_writes = on",
  "wal_level = replica",
  "max_wal_senders = 20",
  "max_replication_slots = 20",
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

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
