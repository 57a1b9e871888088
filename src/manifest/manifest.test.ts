import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { DEFAULT_GRANTS, NO_LIMITS } from "../environment/manifest.ts";
import type { Manifest } from "../environment/manifest.ts";
import { findManifest } from "./manifest.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-manifest-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(name: string, content: unknown): Promise<void> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeAtomically(file, typeof content === "string" ? content : JSON.stringify(content));
}

async function requireManifest(): Promise<Manifest> {
  const manifest = await findManifest(folder);
  if (manifest === undefined) throw new Error("There is no manifest.");
  return manifest;
}

async function problem(): Promise<string> {
  try {
    await findManifest(folder);
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.message} ${error.remedy}`;
    throw error;
  }
  return "no problem";
}

const EXAMPLE = `{ "$schema": "https://example.com/ramet.schema.json",
  "app": "shop",
  "setup": "npm ci",
  "processes": {
    "web":  { "command": "npm run dev -- --port $PORT --host $HOST --strictPort", "ready": { "http": "/" } },
    "jobs": { "command": "npm run worker", "port": false } },
  "database": { "kind": "postgres", "data": "all", "migrate": "npm run migrate", "seed": "npm run seed", "mask": "db/mask.sql" },
  "services": { "cache": { "command": "redis-server --port $PORT --dir $DATA", "variable": "REDIS_URL", "url": "redis://$HOST:$PORT" } },
  "variables": { "PUBLIC_URL": "$URL", "STRIPE_KEY": { "secret": true, "required": true } },
  "files": { "clone": ["node_modules", ".env.local"] },
  "api": { "graphql": true, "rest": true, "schemas": ["public"] },
  "limits": { "memory": "2G", "cpus": 2, "processes": 512 },
  "sleep": "15m" }`;

test("every key of a whole ramet.json is read, or said to be unused", async () => {
  await put("ramet.json", EXAMPLE);
  await put("package.json", { scripts: { dev: "vite", worker: "node worker.js" } });
  expect(await requireManifest()).toEqual({
    app: "shop",
    setup: "npm ci",
    processes: {
      web: {
        command: "npm run dev -- --port $PORT --host $HOST --strictPort",
        port: true,
        ownPort: null,
        ready: { kind: "http", path: "/", timeoutMs: 60_000 },
        folder: ".",
        reloads: true,
      },
      jobs: {
        command: "npm run worker",
        port: false,
        ownPort: null,
        ready: { kind: "none" },
        folder: ".",
        reloads: false,
      },
    },
    database: {
      data: "all",
      migrate: "npm run migrate",
      seed: "npm run seed",
      mask: "db/mask.sql",
    },
    variables: {
      PUBLIC_URL: { value: "$URL", secret: false, required: false },
      STRIPE_KEY: { value: null, secret: true, required: true },
    },
    files: { clone: ["node_modules", ".env.local"] },
    grants: DEFAULT_GRANTS,
    isolation: "auto",
    network: "open",
    sleepMs: 15 * 60_000,
    limits: { memoryBytes: 2e9, cpus: 2, processes: 512, diskBytes: null },
    unused: ["services", "api"],
    source: "ramet.json",
  });
});

test("an empty ramet.json is valid and has its defaults", async () => {
  await put("ramet.json", "{}");
  expect(await requireManifest()).toEqual({
    app: null,
    setup: null,
    processes: {},
    database: { migrate: null, seed: null, mask: null },
    variables: {},
    files: { clone: [] },
    grants: DEFAULT_GRANTS,
    isolation: "auto",
    network: "open",
    sleepMs: 15 * 60_000,
    limits: NO_LIMITS,
    unused: [],
    source: "ramet.json",
  });
});

test("a folder without either file has no app", async () => {
  expect(await findManifest(folder)).toBeUndefined();
  expect(await findManifest(path.join(folder, "missing"))).toBeUndefined();
});

test("what ramet.json leaves open is taken from package.json; one that names processes is all there is", async () => {
  await put("package.json", {
    scripts: { dev: "node --watch server.js" },
    dependencies: { pg: "8" },
  });
  await put("ramet.json", { app: "Shop", database: false });
  const { app, setup, processes, database, files, source } = await requireManifest();
  expect({ app, setup, database, files, source }).toEqual({
    app: "shop",
    setup: "npm install",
    database: null,
    files: { clone: ["node_modules"] },
    source: "ramet.json, package.json (dev)",
  });
  expect(processes["web"]?.command).toBe("npm run dev");

  await put("ramet.json", { setup: false });
  expect((await requireManifest()).setup).toBeNull();
  await put("ramet.json", { processes: { api: { command: "node api.js" } } });
  const named = await requireManifest();
  expect(Object.keys(named.processes)).toEqual(["api"]);
  expect(named.setup).toBeNull();
});

test("readiness, folders and reloading are as written", async () => {
  await put("apps/web/package.json", { scripts: { dev: "next dev" } });
  await put("ramet.json", {
    processes: {
      one: { command: "a", ready: { timeout: 2.5 }, folder: "./apps//web/" },
      two: { command: "a", ready: false, port: true },
      three: { command: "a", reload: true, port: 3000 },
      four: { command: "npm run dev", folder: "apps/web" },
      five: { command: "npm run dev", folder: "apps/web", reload: false },
    },
    database: { data: "none" },
  });
  const { processes, unused, database } = await requireManifest();
  expect(processes["one"]).toMatchObject({
    ready: { kind: "port", timeoutMs: 2500 },
    folder: "apps/web",
  });
  expect(processes["two"]).toMatchObject({ ready: { kind: "none" }, port: true });
  expect(processes["three"]).toMatchObject({ reloads: true, port: true });
  expect([processes["four"]?.reloads, processes["five"]?.reloads]).toEqual([true, false]);
  expect([unused, database?.data]).toEqual([[], "none"]);
  expect([processes["two"]?.ownPort, processes["three"]?.ownPort]).toEqual([null, 3000]);
});

test.each([
  ["{", "ramet.json:1:2 is not valid: it ends where a key in double quotes is expected"],
  ['{\n  "app": "shop",\n}', "ramet.json:2:16 is not valid: JSON has no comma before }"],
  ["{\n  // why\n}", "ramet.json:2:3 is not valid: JSON has no comments"],
  ["[]", "ramet.json is not valid: expected object"],
  ["", "ramet.json:1:1 is not valid: it ends where a value is expected"],
  ['{"app": 5}', "app: expected string"],
  ['{"app": "My Shop"}', 'app: "My Shop" cannot name an app'],
  ['{"proceses": {}}', 'it has no key "proceses". Did you mean "processes"?'],
  [
    '{"processes": {"web": {"comand": "x"}}}',
    'processes.web has no key "comand". Did you mean "command"?',
  ],
  [
    '{"processes": {"web": {"command": "x", "ready": {"htp": "/"}}}}',
    'processes.web.ready has no key "htp". Did you mean "http"?',
  ],
  ['{"processes": {"web": {}}}', "processes.web.command: expected string"],
  [
    '{"processes": {"web": {"command": " "}}}',
    "processes.web.command: a command must not be empty",
  ],
  ['{"processes": {"web": {"command": "a\\u0000b"}}}', "NUL"],
  ['{"processes": {"Web": {"command": "x"}}}', "processes.Web: a process is named"],
  [`{"processes": {"${"w".repeat(21)}": {"command": "x"}}}`, "a process is named with at most 20"],
  ['{"processes": {"migrate": {"command": "x"}}}', "a process cannot be named"],
  ['{"processes": {"web": {"command": "x", "port": 0}}}', "processes.web.port: too small"],
  [
    '{"processes": {"web": {"command": "x", "port": false, "ready": {"http": "/"}}}}',
    "processes.web.ready.http: a process whose port is false",
  ],
  [
    '{"processes": {"web": {"command": "x", "ready": {"http": "health"}}}}',
    "processes.web.ready.http: it must be a path",
  ],
  [
    '{"processes": {"web": {"command": "x", "ready": true}}}',
    "processes.web.ready: it must be false or an object",
  ],
  [
    '{"processes": {"web": {"command": "x", "folder": "../other"}}}',
    "processes.web.folder: it must be a path inside",
  ],
  [
    '{"processes": {"web": {"command": "x", "folder": "a/../../b"}}}',
    "processes.web.folder: it must be a path inside",
  ],
  ['{"database": {"mask": "/etc/shadow"}}', "database.mask: it must be a path inside"],
  ['{"database": {"mask": "a\\u0000b"}}', "database.mask: it must be a path inside"],
  ['{"database": {"mask": "."}}', "database.mask: it must name something inside"],
  ['{"database": {"kind": "mysql"}}', "database.kind"],
  ['{"database": "postgres"}', "database: it must be false or an object"],
  ['{"database": {"migrat": "x"}}', 'database has no key "migrat". Did you mean "migrate"?'],
  ['{"files": {"clone": ["ok", "../up"]}}', "files.clone.1: it must be a path inside"],
  ['{"files": {"clone": [".git/config"]}}', "files.clone.0: it must name something inside"],
  ['{"variables": {"A-B": "1"}}', "variables.A-B: a variable is named"],
  ['{"variables": {"PORT": "1"}}', "variables.PORT: Ramet sets this variable itself"],
  [
    '{"variables": {"KEY": {"secret": true, "value": "sk"}}}',
    "variables.KEY.value: a secret's value does not belong",
  ],
  ['{"variables": {"__proto__": {"required": true}}}', "__proto__ cannot be a key"],
])("the ramet.json %j is refused, and why", async (text, words) => {
  await put("ramet.json", text);
  const said = await problem();
  expect(said).toMatch(/^manifest_invalid: /);
  expect(said).toContain(words);
});

function many(count: number): object {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`p${index}`, { command: "x" }]),
  );
}

test("at most sixteen processes are allowed", async () => {
  await put("ramet.json", { processes: many(17) });
  expect(await problem()).toContain("processes: there can be at most 16 processes");
  await put("ramet.json", { processes: many(16) });
  expect(await problem()).toBe("no problem");
});

test("what is no readable text file of a sensible size is refused without waiting", async () => {
  const file = path.join(folder, "ramet.json");
  await put("ramet.json", `{"app": "${"x".repeat(1024 * 1024)}"}`);
  expect(await problem()).toContain("ramet.json is not valid: it is larger than 1 MB");
  await put("ramet.json", "\uFEFF{}");
  expect(await problem()).toBe("no problem");
  await rm(file);
  await mkdir(file);
  expect(await problem()).toContain("it is not a file");
  await rm(file, { recursive: true });
  await promisify(execFile)("mkfifo", [file]);
  expect(await problem()).toContain("it is not a file");
  await rm(file);
  await writeAtomically(file, Buffer.from([0x7b, 0xff, 0x7d]));
  expect(await problem()).toContain("it is not UTF-8 text");
});

test("a link out of the app's folder is not followed", async () => {
  await symlink("/etc", path.join(folder, "out"));
  await put("ramet.json", { database: { mask: "out/passwd" } });
  expect(await problem()).toContain("database.mask: out/passwd is a link that leaves");
  await put("ramet.json", { processes: { web: { command: "x", folder: "out" } } });
  expect(await problem()).toContain("processes.web.folder: out is a link that leaves");
  await mkdir(path.join(folder, "in"));
  await put("ramet.json", { processes: { web: { command: "x", folder: "in" } } });
  expect(await problem()).toBe("no problem");
});
