import { expect, test } from "vitest";

import { keysOfMigration } from "./migration-name.ts";

test.each([
  ["20240102030405_add_notes.rb", "20240102030405", "Rails notes the number"],
  ["20240102030405-add-notes.js", "20240102030405-add-notes.ts", "Knex was compiled meanwhile"],
  ["1590000000000-CreateUsers.ts", "CreateUsers1590000000000", "TypeORM notes its class"],
  [
    "1700000000000_add-notes.sql",
    "1700000000000_add-notes",
    "node-pg-migrate leaves out the extension",
  ],
  ["0001-init.sql", "1", "a script counts"],
  ["V2__more.sql", "2", "Flyway"],
  ["001_init.up.sql", "001_init", "a pair of up and down"],
])("the file %j answers for the applied %j: %s", (file, applied) => {
  const keys = new Set(keysOfMigration(file));
  expect(keysOfMigration(applied).some((key) => keys.has(key))).toBe(true);
});

test.each([
  ["0001_init.sql", "0002_init"],
  ["20240102030405_a.rb", "20240102030406"],
  ["notes.sql", "note"],
  ["1590000000000-CreateUsers.ts", "CreateUsers1590000000001"],
])("the file %j does not answer for the applied %j", (file, applied) => {
  const keys = new Set(keysOfMigration(file));
  expect(keysOfMigration(applied).some((key) => keys.has(key))).toBe(false);
});
