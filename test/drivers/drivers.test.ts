/** Clients of PostgreSQL as people have them: each connects by `databaseUrl` as it stands, to a database that sleeps. */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { type } from "../journeys/shell.ts";
import { openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";

const PROGRAMS = path.join(import.meta.dirname, "programs");
const PACKAGES =
  "pg@8.23.1 postgres@3.4.9 prisma@7.10.0 @prisma/client@7.10.0 @prisma/adapter-pg@7.10.0";
/** Made without the schema engine, which comes from a server of its own and is not needed for that. */
const GENERATE = "PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 npx prisma generate";
const JAVA = "java -cp /usr/share/java/postgresql.jar Jdbc.java";

const DONE = { parameters: 3, prepared: 42, cancel: "57014", copy: 3, notification: "hello" };
const DRIVERS = [
  { command: "sh psql_driver.sh", tls: "sslmode=require", needs: "postgresql-client", done: DONE },
  { command: "node pg_driver.mjs", tls: "sslmode=no-verify", needs: "npm", done: DONE },
  { command: "node postgres_driver.mjs", tls: "sslmode=require", needs: "npm", done: DONE },
  {
    command: "node prisma_driver.mjs",
    tls: "sslmode=no-verify",
    needs: "npm",
    done: { parameters: 3, rows: 2, transaction: 3 },
  },
  {
    command: "/usr/bin/python3 psycopg2_driver.py",
    tls: "sslmode=require",
    needs: "python3-psycopg2",
    done: DONE,
  },
  {
    command: "/usr/bin/python3 psycopg3_driver.py",
    tls: "sslmode=require",
    needs: "python3-psycopg",
    done: DONE,
  },
  {
    command: "/usr/bin/python3 asyncpg_driver.py",
    tls: "sslmode=require",
    needs: "python3-asyncpg",
    done: DONE,
  },
  { command: "ruby pg_driver.rb", tls: "sslmode=require", needs: "ruby-pg", done: DONE },
  { command: JAVA, tls: "sslmode=require", needs: "libpostgresql-jdbc-java", done: DONE },
] as const;

const seenSchema = z.object({ driver: z.string(), wrong: z.string() }).loose();

let stage: Stage;
let app: string;
let programs: string;

beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "shop");
  await mkdir(app);
  await writeFile(path.join(app, "ramet.json"), '{"processes":{}}');
  await stage.git(app, "init", "-q");
  await stage.json(app, ["init", "--yes"]);
  programs = await copyPrograms();
  await type(stage, programs, `npm install --no-audit --no-fund --ignore-scripts ${PACKAGES}`);
  await type(stage, programs, GENERATE);
}, 300_000);
afterAll(async () => stage.close());

async function copyPrograms(): Promise<string> {
  const folder = path.join(stage.folder, "programs");
  await mkdir(folder);
  const names = ["Jdbc.java", "schema.prisma"];
  for (const { command } of DRIVERS) names.push(command.split(" ").at(-1) ?? "");
  for (const name of new Set(names))
    await copyFile(path.join(PROGRAMS, name), path.join(folder, name));
  await writeFile(path.join(folder, "package.json"), '{"private":true,"type":"module"}');
  return folder;
}

async function show(): Promise<EnvironmentView> {
  return environmentSchema.parse(await stage.json(app, ["env", "show"]));
}

/** What the program saw; the last line that it prints. */
async function drive(command: string, url: string): Promise<z.infer<typeof seenSchema>> {
  const wrong = url.replace(/:[^:@/]*@/, ":wrong@");
  const printed = await type(stage, programs, `${command} '${url}' '${wrong}'`);
  return seenSchema.parse(JSON.parse(printed.trim().split("\n").at(-1) ?? ""));
}

test.for(DRIVERS)("$command wakes its database, and does all that it can", async (driver) => {
  const { id, databaseUrl } = await show();
  await stage.json(app, ["env", "stop"]);
  const plain = await drive(driver.command, databaseUrl ?? "");
  expect((await show()).state).toBe("awake");
  const sealed = await drive(driver.command, `${databaseUrl}?${driver.tls}`);
  for (const seen of [plain, sealed]) {
    expect(seen).toMatchObject(driver.done);
    expect(seen.wrong).toMatch(
      new RegExp(`${id}.* (are not valid|failed)|failed for user "${id}"`),
    );
  }
  process.stdout.write(`\n| ${plain.driver} | ${driver.needs} |\n`);
});

test("psql and psycopg2 connect by the unix socket, whose address db url --socket prints", async () => {
  const url = z
    .object({ databaseUrl: z.string() })
    .parse(await stage.json(app, ["db", "url", "--socket"])).databaseUrl;
  expect(url).toContain(encodeURIComponent(path.join(stage.home, "run")));
  expect(await drive("sh psql_driver.sh", url)).toMatchObject(DONE);
  expect(await drive("/usr/bin/python3 psycopg2_driver.py", url)).toMatchObject(DONE);
  expect(await readFile(path.join(app, "ramet.json"), "utf8")).toBe('{"processes":{}}');
});
