import path from "node:path";

/** Folders whose contents mean nothing to a copy; the folders themselves must be there. */
const EMPTIED = new Set([
  "pg_dynshmem",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);
/** Files of one running server, or rebuilt by the next. */
const LEFT_OUT = new Set([
  "backup_label",
  "backup_label.old",
  "backup_manifest",
  "current_logfiles",
  "pg_hba.conf",
  "postgresql.auto.conf",
  "postgresql.conf",
  "postmaster.opts",
  "postmaster.pid",
  "recovery.signal",
  "standby.signal",
  "tablespace_map",
]);
const TEMPORARY_RELATION = /^t\d+_\d+/;
const RELATION = /^(\d+)(?:_(?:fsm|vm))?(?:\.\d+)?$/;

/** What a copy of a data folder at rest does without. */
export function isLeftOut(entry: string): boolean {
  const name = path.basename(entry);
  if (LEFT_OUT.has(entry) || EMPTIED.has(path.dirname(entry))) return true;
  return (
    name.startsWith("pgsql_tmp") || name.startsWith("pg_internal.init") || entry.endsWith(".tmp")
  );
}

/** What a copy of a served data folder does without: its WAL and `pg_control` come last, unlogged tables start anew. */
export function isLeftOutOfBackup(entry: string, beside: ReadonlySet<string>): boolean {
  if (isLeftOut(entry) || entry === path.join("global", "pg_control")) return true;
  const folder = path.dirname(entry);
  if (folder === "pg_wal" || folder.startsWith(`pg_wal${path.sep}`)) return !isFolderOfWal(entry);
  if (!folder.startsWith("base")) return false;
  return isPassing(path.basename(entry), beside);
}

/** What an unlogged relation is after a crash. */
export function isEmptyForm(entry: string): boolean {
  return entry.startsWith("base") && /^\d+_init$/.test(path.basename(entry));
}

function isFolderOfWal(entry: string): boolean {
  return (
    entry === path.join("pg_wal", "archive_status") || entry === path.join("pg_wal", "summaries")
  );
}

/** A relation of one session, or an unlogged one: of that only its empty form `_init` is kept. */
function isPassing(name: string, beside: ReadonlySet<string>): boolean {
  if (TEMPORARY_RELATION.test(name)) return true;
  const relation = RELATION.exec(name)?.[1];
  return relation !== undefined && beside.has(`${relation}_init`);
}
