import { expect, test } from "vitest";

import { isLeftOut, isLeftOutOfBackup } from "./data-folder.ts";

const NOTHING = new Set<string>();

test.each([
  "postmaster.pid",
  "postmaster.opts",
  "postgresql.conf",
  "postgresql.auto.conf",
  "pg_hba.conf",
  "standby.signal",
  "recovery.signal",
  "backup_label",
  "backup_label.old",
  "tablespace_map",
  "pg_replslot/slot",
  "pg_notify/0000",
  "pg_subtrans/0000",
  "pg_stat_tmp/x.stat",
  "base/5/pg_internal.init",
  "global/pg_internal.init.123",
  "base/pgsql_tmp",
  "postgresql.conf.0a1b2c.tmp",
])("a copy at rest does without %s", (entry) => {
  expect(isLeftOut(entry)).toBe(true);
  expect(isLeftOutOfBackup(entry, NOTHING)).toBe(true);
});

test.each([
  "PG_VERSION",
  "base",
  "base/5",
  "base/5/2619",
  "base/5/2619_fsm",
  "global/pg_filenode.map",
  "pg_notify",
  "pg_replslot",
  "pg_xact/0000",
  "pg_multixact/offsets/0000",
  "pg_ident.conf",
  "pg_wal",
  "pg_wal/archive_status",
])("every copy has %s", (entry) => {
  expect(isLeftOut(entry)).toBe(false);
  expect(isLeftOutOfBackup(entry, NOTHING)).toBe(false);
});

test.each(["pg_wal/000000010000000000000001", "pg_wal/archive_status/x.done", "global/pg_control"])(
  "a copy of a served folder takes %s at the end, or not at all",
  (entry) => {
    expect(isLeftOut(entry)).toBe(false);
    expect(isLeftOutOfBackup(entry, NOTHING)).toBe(true);
  },
);

test("of an unlogged table a copy of a served folder has the empty form alone", () => {
  const beside = new Set(["16390", "16390_init", "16390_fsm", "16390.1", "16391", "16391_fsm"]);
  const left = [...beside].filter((name) => isLeftOutOfBackup(`base/5/${name}`, beside));
  expect(left).toEqual(["16390", "16390_fsm", "16390.1"]);
});

test("a session's temporary table is left out of a copy of a served folder", () => {
  expect(isLeftOutOfBackup("base/5/t3_16400", NOTHING)).toBe(true);
  expect(isLeftOutOfBackup("base/5/t3_16400_fsm", NOTHING)).toBe(true);
});
