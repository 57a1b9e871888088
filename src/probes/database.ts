import { NotApplicable, type Probe, Refused } from "./probe.ts";
import type { Targets } from "./targets.ts";
import { askDatabase, DatabaseError } from "./wire.ts";

/** Privileges, logging in, roles and databases that are not there, what only a superuser may. */
const REFUSALS = /^(28...|42501|3D000|42704|22023|0A000|55000|58P01)$/;
const NO_SUPERUSER = "must be superuser, or not permitted";

/** With the role that the environment's processes are given. */
export const DATABASE: readonly Probe[] = [
  {
    id: "superuser",
    tries: "be a superuser of its own database server",
    expected: "it is none",
    attempt: (targets) =>
      ask(
        targets,
        "SELECT 'is ' || rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls)",
      ),
  },
  sql(
    "server-file-read",
    "read a file as the database server",
    "SELECT pg_read_file('/etc/passwd')",
  ),
  sql("server-file-list", "list a folder as the database server", "SELECT pg_ls_dir('.')"),
  sql(
    "server-program",
    "run a program as the database server",
    "COPY (SELECT 1) TO PROGRAM 'true'",
  ),
  sql("server-file-write", "write a file as the database server", "COPY (SELECT 1) TO '/dev/null'"),
  sql("server-file-import", "import a file as a large object", "SELECT lo_import('/etc/hostname')"),
  sql("server-settings", "change the server's settings", "ALTER SYSTEM SET work_mem = '4MB'"),
  sql("server-library", "load a library into the server", "LOAD '/usr/lib/libc.so.6'"),
  sql("role-passwords", "read the passwords of roles", "SELECT rolpassword FROM pg_authid LIMIT 1"),
  sql("role-switch", "become the server's superuser", "SET ROLE ramet"),
  sql(
    "role-grant",
    "give itself what the server's monitors may",
    "GRANT pg_read_server_files TO current_user",
  ),
  sql(
    "other-language",
    "write a function in C",
    "CREATE FUNCTION pg_temp.probe() RETURNS int LANGUAGE c AS 'libc.so.6', 'getpid'",
  ),
  sql("other-servers", "reach files and servers by an extension", "CREATE EXTENSION file_fdw"),
  {
    id: "other-databases",
    tries: "see a neighbour's database in its own server",
    expected: "not there",
    attempt: (targets) =>
      ask(
        targets,
        `SELECT 'saw ' || datname FROM pg_database WHERE datname = '${targets.neighbour.databaseName}'`,
      ),
  },
  {
    id: "neighbour-login",
    tries: "log in to a neighbour's database by its name",
    expected: "no such role",
    attempt: (targets) =>
      askAs(targets, { user: targets.neighbour.id, database: targets.neighbour.databaseName }),
  },
  {
    id: "superuser-login",
    tries: "log in as the server's superuser without a password",
    expected: "wrong password",
    attempt: (targets) => askAs(targets, { user: "ramet", database: "postgres" }),
  },
  {
    id: "replication",
    tries: "follow all changes of its server (replication)",
    expected: "refused",
    attempt: (targets) =>
      refusing(async () => {
        await askDatabase(requireUrl(targets), "SELECT 1", { replication: "true" });
        return "logged in to follow changes";
      }),
  },
];

function sql(id: string, tries: string, statement: string): Probe {
  const attempt = async (targets: Targets): Promise<string> => {
    // What it did where it succeeded is not kept.
    const isPlain = /^(SELECT|COPY|ALTER SYSTEM|LOAD)/.test(statement);
    await ask(targets, isPlain ? statement : `BEGIN; ${statement}; ROLLBACK`);
    return statement;
  };
  return { id, tries, expected: NO_SUPERUSER, attempt };
}

function ask(targets: Targets, statement: string): Promise<string | null> {
  return refusing(async () => askDatabase(requireUrl(targets), statement));
}

async function askAs(
  targets: Targets,
  { user, database }: { readonly user: string; readonly database: string },
): Promise<string> {
  const url = requireUrl(targets);
  url.username = user;
  url.password = "";
  url.pathname = database;
  return refusing(async () => {
    await askDatabase(url, "SELECT 1");
    return `logged in as ${user}`;
  });
}

function requireUrl({ databaseUrl }: Targets): URL {
  if (databaseUrl === null) throw new NotApplicable("it has no database");
  return new URL(databaseUrl);
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (REFUSALS.test(error.state)) throw new Refused(`${error.state} ${error.message}`);
    throw error;
  }
}
