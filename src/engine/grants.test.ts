import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { queryDatabase } from "../database/database.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import { patiently, TestEngine } from "./test-engine.ts";

let stage: TestEngine;
let shop: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  shop = await stage.createApp("shop", {
    processes: {},
    database: { limits: { connections: 7, tempFileLimit: "3M" }, extensions: ["moddatetime"] },
  });
});
afterAll(async () => stage.close());

async function ask(live: LiveEnvironment, sql: string): Promise<unknown> {
  return live.withDatabase(async (database) => {
    if (database === null) throw new Error("It has a database.");
    return (await queryDatabase(database, sql)).rows.flat();
  });
}

/** Sessions that the app may have, the limit of its temporary files, and what was created for it. */
const GRANTED = `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
  UNION ALL SELECT pg_size_bytes(current_setting('temp_file_limit')) / 1000
  UNION ALL SELECT count(*) FROM pg_extension WHERE extname IN ('moddatetime', 'autoinc')`;

async function rewrite(database: object): Promise<void> {
  const file = path.join(shop.record.files.path, "ramet.json");
  await writeFile(file, JSON.stringify({ processes: {}, database }));
  await chmod(file, 0o644);
}

test("an app's first environment has what its ramet.json grants, and so has its fork", async () => {
  const fork = await stage.fork("shop", "fork");
  for (const live of [shop, fork]) expect(await ask(live, GRANTED)).toEqual(["7", "3000", "1"]);
});

test("limits that were changed hold from the next wake, also while nobody can read the file", async () => {
  await rewrite({ limits: { connections: 9 }, extensions: ["moddatetime"] });
  await shop.sleep();
  await shop.wake();
  expect(await ask(shop, GRANTED)).toEqual(["9", expect.any(String), "1"]);

  await writeFile(path.join(shop.record.files.path, "ramet.json"), "{");
  await shop.sleep();
  expect(await ask(shop, "SHOW superuser_reserved_connections")).toEqual(
    await ask(shop, "SELECT current_setting('max_connections')::int - 9"),
  );
});

test("an extension that was added is there before the migrations that need it", async () => {
  const migrate = "echo migrated";
  await rewrite({ extensions: ["moddatetime", "autoinc"], migrate });
  await stage.engine.filesChanged(shop, patiently());
  expect(await ask(shop, "SELECT extname FROM pg_extension ORDER BY extname")).toEqual([
    "autoinc",
    "moddatetime",
    "plpgsql",
  ]);
});

test("an extension that leads out of the database leaves an environment broken, and says why", async () => {
  await rewrite({ extensions: ["dblink"], migrate: "echo migrated" });
  const changing = stage.engine.filesChanged(shop, patiently());
  await expect(changing).rejects.toMatchObject({ code: "extension_refused" });
  expect(shop.problems()).toMatchObject([{ code: "extension_refused" }]);
});
