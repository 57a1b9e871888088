import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, test } from "vitest";

import { keysOfMigration } from "../../environment/migration-name.ts";
import { listMigrationFiles } from "./migration-files.ts";
import type { MigrationFile } from "./migration-files.ts";
import { listMissing } from "./missing-migrations.ts";

/** As they are listed: a folder's files by their own names. */
function files(...names: readonly string[]): readonly MigrationFile[] {
  return names.map((name) => ({
    path: `migrations/${name}`,
    keys: keysOfMigration(name.split("/").at(0) ?? ""),
  }));
}

test.each([
  ["Knex", ["1_a.js", "2_b.js"], files("1_a.ts"), ["2_b.js"]],
  ["Knex", ["1_a.js"], files("1_a.js", "2_more.js"), []],
  ["its own script", ["1-notes.sql", "2-paid.sql"], files("1-notes.sql"), ["2-paid.sql"]],
  ["its own script", ["0001_a", "0002_paid"], files("0001_a.sql", "0002_other.sql"), ["0002_paid"]],
  ["Rails", ["20240101000000", "20240202000000"], files("20240101000000_a.rb"), ["20240202000000"]],
  [
    "TypeORM",
    ["A1590000000000", "B1600000000000"],
    files("1590000000000-A.ts"),
    ["B1600000000000"],
  ],
  ["node-pg-migrate", ["1700000000000_a"], files("1700000000000_a.js"), []],
  ["Knex", ["1_a.js", "2_b.js"], files("unrelated.sql"), []],
])(
  "of what %s applied, %j, the files lack what they lack",
  (tool, applied, ...[there, missing]) => {
    const expected = missing.length === 0 ? [] : [{ tool, names: missing }];
    expect(listMissing([{ tool, applied }], there)).toEqual(expected);
  },
);

test("Prisma's folder is known by its lock, also where it has none of what was applied", () => {
  const prisma = [{ tool: "Prisma", applied: ["20240101000000_init"] }];
  expect(listMissing(prisma, files("migration_lock.toml"))).toHaveLength(1);
  expect(listMissing(prisma, files("other.sql"))).toEqual([]);
});

test("of Django's migrations those of the app's own folders are looked at, not those of its packages", () => {
  const applied = ["auth/0001_initial", "notes/0001_initial", "notes/0002_paid"];
  const there = ["notes/migrations/__init__.py", "notes/migrations/0001_initial.py"].map(
    (name) => ({
      path: name,
      keys: name.endsWith("0001_initial.py") ? ["0001_initial", "notes/0001_initial"] : [],
    }),
  );
  expect(listMissing([{ tool: "Django", applied }], there)).toEqual([
    { tool: "Django", names: ["notes/0002_paid"] },
  ]);
});

test("migration files are found wherever an app has them, and by what each tool calls them", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "migrations-"));
  try {
    for (const [name, text] of [
      ["prisma/migrations/20240101000000_init/migration.sql", ""],
      [
        "apps/api/drizzle/meta/_journal.json",
        '{"entries":[{"when":1700000000001,"tag":"0000_a"}]}',
      ],
      ["db/migrate/20240202000000_a.rb", ""],
      ["notes/migrations/0001_initial.py", ""],
      ["node_modules/tool/migrations/1_not.sql", ""],
      [".cache/migrations/2_not.sql", ""],
      ["src/other.sql", ""],
    ] as const) {
      await mkdir(path.join(root, path.dirname(name)), { recursive: true });
      await writeFile(path.join(root, name), text);
    }
    const found = await listMigrationFiles(root);
    expect(found.flatMap(({ keys }) => keys).toSorted()).toEqual([
      "0001_initial",
      "1",
      "1700000000001",
      "20240101000000",
      "20240101000000_init",
      "20240202000000",
      "20240202000000_a",
      "notes/0001_initial",
    ]);
  } finally {
    await rm(root, { recursive: true });
  }
  expect(await listMigrationFiles(root)).toEqual([]);
});
