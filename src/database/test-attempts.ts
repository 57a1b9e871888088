/** Attempts to reach beyond one's own database: refused to the app's role, and possible for a superuser. */

/** What an attempt aims at. */
export type Aims = {
  /** Where the server itself may write. */
  readonly folder: string;
  /** Of another environment: its socket's folder and its password, as if they were known. */
  readonly peer: { readonly socketFolder: string; readonly password: string };
};

export type Attempt = {
  readonly name: string;
  readonly sql: string | ((aims: Aims) => string);
  /** What the app's role is told. */
  readonly refused: RegExp;
  /** The database that it is made in; else the app's own. */
  readonly database?: string;
  /** Given where it cannot stand in a transaction: what takes it back. */
  readonly undo?: string;
};

const DENIED = /permission denied|must be superuser|must be able to|must have|is not allowed/;

const FILES: readonly Attempt[] = [
  attempt("run a program", "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'"),
  attempt("read what a program prints", "COPY own FROM PROGRAM 'echo 1'"),
  attempt("read a file of the machine", "CREATE TABLE f (t text); COPY f FROM '/etc/passwd'"),
  attempt("write a file", ({ folder }) => `COPY own TO '${folder}/written'`),
  attempt("read the access rules", "SELECT pg_read_file('pg_hba.conf')"),
  attempt("read the control file", "SELECT pg_read_binary_file('global/pg_control')"),
  attempt("list the data folder", "SELECT pg_ls_dir('.')"),
  attempt("look at a file", "SELECT pg_stat_file('PG_VERSION')"),
  attempt("list the WAL", "SELECT pg_ls_waldir()"),
  attempt("list temporary files", "SELECT pg_ls_tmpdir()"),
  attempt("import a file as a large object", "SELECT lo_import('/etc/passwd')"),
  attempt(
    "export a large object",
    ({ folder }) => `SELECT lo_from_bytea(7, 'x'); SELECT lo_export(7, '${folder}/exported')`,
  ),
  attempt("load a library", "LOAD 'auto_explain'"),
  attempt(
    "call into a library",
    "CREATE FUNCTION c(text, text) RETURNS text LANGUAGE c AS '$libdir/pgcrypto', 'pg_digest'",
  ),
  attempt(
    "call into the server",
    "CREATE FUNCTION i() RETURNS timestamptz LANGUAGE internal AS 'now'",
  ),
];

const PEERS: readonly Attempt[] = [
  attempt(
    "dial another environment, its password known",
    ({ peer }) =>
      `CREATE EXTENSION dblink; SELECT * FROM dblink('host=${peer.socketFolder} user=app password=${peer.password} dbname=peer', 'SELECT 1') AS t (n int)`,
  ),
  attempt("wrap another database", "CREATE EXTENSION postgres_fdw"),
  attempt("wrap files", "CREATE EXTENSION file_fdw"),
  attempt("look into pages", "CREATE EXTENSION pageinspect"),
  attempt("change pages", "CREATE EXTENSION pg_surgery"),
  attempt("look into the WAL", "CREATE EXTENSION pg_walinspect"),
  attempt("make a wrapper of one's own", "CREATE FOREIGN DATA WRAPPER w"),
  attempt(
    "subscribe to another server",
    "CREATE SUBSCRIPTION s CONNECTION 'host=/x dbname=y password=z' PUBLICATION p WITH (connect = false, slot_name = NONE)",
  ),
];

const ROLES: readonly Attempt[] = [
  attempt("become the superuser", "SET ROLE ramet"),
  attempt("become the superuser for good", "SET SESSION AUTHORIZATION ramet"),
  attempt("make a superuser", "CREATE ROLE spy SUPERUSER"),
  attempt("make a role", "CREATE ROLE spy LOGIN"),
  attempt("make oneself a superuser", "ALTER ROLE app SUPERUSER"),
  attempt("make oneself a replica", "ALTER ROLE app REPLICATION"),
  attempt("see what policies hide", "ALTER ROLE app BYPASSRLS"),
  attempt("make roles from now on", "ALTER ROLE app CREATEROLE"),
  attempt("lift one's connection limit", "ALTER ROLE app CONNECTION LIMIT -1"),
  attempt("change the superuser's password", "ALTER ROLE ramet PASSWORD 'x'"),
  attempt("write on the superuser's name", "COMMENT ON ROLE ramet IS 'x'"),
  attempt("read files by membership", "GRANT pg_read_server_files TO app"),
  attempt("run programs by membership", "GRANT pg_execute_server_program TO app"),
  attempt("belong to the superuser", "GRANT ramet TO app"),
  attempt("set what others get", "ALTER ROLE ALL SET work_mem = '1MB'"),
  attempt("set the superuser's path", "ALTER ROLE ramet SET search_path = public"),
  attempt("give away a table", "ALTER TABLE own OWNER TO ramet"),
  attempt(
    "give away a function that runs as its owner",
    "CREATE FUNCTION d() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION d() OWNER TO ramet",
  ),
  attempt("read the passwords' verifiers", "SELECT rolpassword FROM pg_authid"),
  attempt("read them by the old name", "SELECT passwd FROM pg_shadow"),
  attempt("write the roles' own table", "UPDATE pg_authid SET rolsuper = true"),
  attempt("write the functions' own table", "UPDATE pg_proc SET proowner = 10 WHERE false"),
  attempt(
    "claim that a function tells nothing",
    "ALTER FUNCTION owned() LEAKPROOF",
    /only superuser/,
  ),
];

const SERVER: readonly Attempt[] = [
  { ...attempt("set the server", "ALTER SYSTEM SET fsync = off"), undo: "ALTER SYSTEM RESET ALL" },
  attempt("load the settings", "SELECT pg_reload_conf()"),
  attempt(
    "end the superuser's session",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ramet' AND pid <> pg_backend_pid()",
  ),
  attempt(
    "cancel the superuser's statement",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'ramet' AND pid <> pg_backend_pid()",
  ),
  // The text of others' statements is hidden, and 1 divided by their number.
  attempt(
    "read the superuser's statements",
    "SELECT 1 / count(*) FILTER (WHERE query NOT LIKE '<insufficient%') FROM pg_stat_activity WHERE usename = 'ramet'",
    /division by zero/,
  ),
  attempt("write a checkpoint", "CHECKPOINT"),
  attempt("switch the WAL", "SELECT pg_switch_wal()"),
  attempt("mark the WAL", "SELECT pg_create_restore_point('x')"),
  attempt("turn the log", "SELECT pg_rotate_logfile()"),
  attempt("forget the statistics", "SELECT pg_stat_reset()"),
  attempt("begin a backup", "SELECT pg_backup_start('x')"),
  attempt("hold the WAL", "SELECT pg_create_physical_replication_slot('spy', true, true)"),
  attempt("make an origin", "SELECT pg_replication_origin_create('spy')"),
  attempt(
    "run code at every statement",
    "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION fires()",
  ),
  attempt("publish all tables", "CREATE PUBLICATION p FOR ALL TABLES"),
  attempt(
    "store tables one's own way",
    "CREATE ACCESS METHOD own_heap TYPE TABLE HANDLER heap_tableam_handler",
  ),
  attempt(
    "make a type of raw bytes",
    "CREATE TYPE raw_bytes; CREATE FUNCTION raw_in(cstring) RETURNS raw_bytes LANGUAGE internal AS 'int4in'",
  ),
  attempt(
    "make an operator class",
    "CREATE OPERATOR CLASS mine FOR TYPE int4 USING hash AS OPERATOR 1 =",
  ),
  attempt("find the data folder", "SELECT current_setting('data_directory')", /permission denied/),
  attempt(
    "find a standby's password",
    "SELECT current_setting('primary_conninfo')",
    /permission denied/,
  ),
  attempt("read the files of settings", "SELECT * FROM pg_file_settings"),
];

const SETTINGS: readonly Attempt[] = [
  attempt("lift the limit of temporary files", "SET temp_file_limit = -1"),
  attempt("lift it for good", "ALTER ROLE app SET temp_file_limit = -1"),
  attempt("lift it for the database", "ALTER DATABASE shop SET temp_file_limit = -1"),
  attempt("ignore broken pages", "SET zero_damaged_pages = on"),
  attempt("find libraries elsewhere", "SET dynamic_library_path = '/tmp'"),
  attempt(
    "load a library into every session",
    "ALTER DATABASE shop SET session_preload_libraries = 'auto_explain'",
  ),
  attempt("keep statements out of the log", "SET log_min_messages = panic"),
  attempt("be granted a setting", "GRANT SET ON PARAMETER log_statement TO app"),
];

const DATABASES: readonly Attempt[] = [
  {
    ...attempt("plant a table in postgres", "CREATE TABLE public.planted (n int)"),
    database: "postgres",
  },
  { ...attempt("plant a schema in postgres", "CREATE SCHEMA planted"), database: "postgres" },
  {
    ...attempt("plant a schema in what is copied", "CREATE SCHEMA planted"),
    database: "template1",
  },
  { ...attempt("read another's table", "SELECT * FROM secrets"), database: "ledger" },
  {
    ...attempt(
      "change it as if it were a copy",
      "SET session_replication_role = replica; UPDATE secrets SET n = 2",
    ),
    database: "ledger",
  },
  {
    ...attempt("copy another's database", "CREATE DATABASE stolen TEMPLATE ledger"),
    undo: "DROP DATABASE stolen",
  },
  attempt("own another's database", "ALTER DATABASE ledger OWNER TO app", /must be owner/),
  attempt(
    "set another's path",
    "ALTER DATABASE postgres SET search_path = planted",
    /must be owner/,
  ),
  attempt("stop what is copied", "ALTER DATABASE template1 CONNECTION LIMIT 0", /must be owner/),
  // It is only warned; whether it was granted something is what 1 is divided by.
  attempt(
    "grant oneself a database",
    "GRANT CREATE ON DATABASE postgres TO app; SELECT 1 / has_database_privilege('app', 'postgres', 'CREATE')::int",
    /division by zero/,
  ),
];

export const ATTEMPTS: readonly Attempt[] = [
  ...FILES,
  ...PEERS,
  ...ROLES,
  ...SERVER,
  ...SETTINGS,
  ...DATABASES,
];

function attempt(name: string, sql: Attempt["sql"], refused = DENIED): Attempt {
  return { name, sql, refused };
}
