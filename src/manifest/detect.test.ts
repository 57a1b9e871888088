import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import { DEFAULT_GRANTS, NO_LIMITS } from "../environment/manifest.ts";
import { findManifest } from "./manifest.ts";
import { isReloading } from "./reading/reloading.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-detect-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(name: string, content: string | object): Promise<void> {
  await writeAtomically(
    path.join(folder, name),
    typeof content === "string" ? content : JSON.stringify(content),
  );
}

async function webCommand(dev: string): Promise<string | undefined> {
  await put("package.json", { scripts: { dev } });
  return (await findManifest(folder))?.processes["web"]?.command;
}

test("a package.json with a dev script is an app", async () => {
  await put("package.json", {
    name: "@acme/shop",
    scripts: { dev: "vite", start: "node x" },
    devDependencies: { vite: "8" },
  });
  expect(await findManifest(folder)).toEqual({
    app: null,
    setup: "npm install",
    processes: {
      web: {
        command: "npm run dev -- --port $PORT --strictPort --host $HOST",
        port: true,
        ownPort: null,
        ready: { kind: "port", timeoutMs: 60_000 },
        folder: ".",
        reloads: true,
      },
    },
    database: { migrate: null, seed: null, mask: null },
    grants: DEFAULT_GRANTS,
    variables: {},
    files: { clone: ["node_modules"] },
    sleepMs: 15 * 60_000,
    isolation: "auto",
    network: "open",
    limits: NO_LIMITS,
    unused: [],
    source: "package.json (dev)",
  });
});

test.each([
  ["node server.js", "npm run dev"],
  ["vite dev", "npm run dev -- --port $PORT --strictPort --host $HOST"],
  ["vite --open", "npm run dev -- --port $PORT --strictPort --host $HOST"],
  [
    "NODE_ENV=development cross-env A=1 vite",
    "npm run dev -- --port $PORT --strictPort --host $HOST",
  ],
  ["dotenv -e .env -- vite dev", "npm run dev -- --port $PORT --strictPort --host $HOST"],
  ["node_modules/.bin/vite", "npm run dev -- --port $PORT --strictPort --host $HOST"],
  ["tsc && vite", "npm run dev -- --port $PORT --strictPort --host $HOST"],
  ["vite & node api.js", "vite --port $PORT --strictPort --host $HOST"],
  ['concurrently "vite" "node api.js"', "vite --port $PORT --strictPort --host $HOST"],
  ["react-router dev", "npm run dev -- --port $PORT --strictPort --host $HOST"],
  ["astro dev", "npm run dev -- --port $PORT --host $HOST"],
  ["next dev --turbo", "npm run dev -- -p $PORT -H $HOST"],
  ["nuxt dev", "npm run dev -- --port $PORT --host $HOST"],
])("the script %j is run as %j", async (script, command) => {
  expect(await webCommand(script)).toBe(command);
});

test.each([
  ["package-lock.json", undefined, "npm ci", "npm run dev -- -p $PORT -H $HOST"],
  ["pnpm-lock.yaml", undefined, "pnpm install --frozen-lockfile", "pnpm run dev -p $PORT -H $HOST"],
  ["yarn.lock", undefined, "yarn install --frozen-lockfile", "yarn run dev -p $PORT -H $HOST"],
  ["yarn.lock", "yarn@4.5.0", "yarn install --immutable", "yarn run dev -p $PORT -H $HOST"],
  ["bun.lock", undefined, "bun install", "bun run dev -p $PORT -H $HOST"],
  ["README", "pnpm@10.1.0", "pnpm install", "pnpm run dev -p $PORT -H $HOST"],
])("with %s and packageManager %j the setup is %j", async (lock, packageManager, ...expected) => {
  await put("package.json", {
    scripts: { dev: "next dev" },
    dependencies: { next: "16" },
    packageManager,
  });
  await put(lock, "");
  const manifest = await findManifest(folder);
  expect([manifest?.setup, manifest?.processes["web"]?.command]).toEqual(expected);
});

test("a newer yarn is known by its own file", async () => {
  await put("package.json", { scripts: { start: "node x" }, workspaces: ["packages/*"] });
  await put("yarn.lock", "");
  await put(".yarnrc.yml", "");
  const manifest = await findManifest(folder);
  expect([manifest?.setup, manifest?.source]).toEqual([
    "yarn install --immutable",
    "package.json (start)",
  ]);
});

test("an app without dependencies needs no setup", async () => {
  await put("package.json", { scripts: { start: "node x" }, dependencies: {} });
  await put("package-lock.json", "{}");
  expect((await findManifest(folder))?.setup).toBeNull();
});

test.each([
  ["app_no_command", { scripts: { build: "tsc" } }],
  ["app_no_command", { name: "empty" }],
  ["app_script_ends", { scripts: { dev: "vite build" } }],
  ["app_script_ends", { scripts: { dev: "vitest" } }],
  ["manifest_invalid", "{'name': 1}"],
  ["manifest_invalid", { scripts: { dev: 5 } }],
  ["manifest_invalid", []],
])("%s is the answer to the package.json %j", async (code, content) => {
  await put("package.json", content);
  await expect(findManifest(folder)).rejects.toSatisfy(
    (error) => error instanceof Problem && error.code === code,
  );
});

const scripts = {
  dev: "npm run dev:web",
  "dev:web": "vite",
  start: "node server.js",
  loop: "npm run loop",
  watch: "tsc --watch",
};

test.each([
  ["vite", true],
  ["npx vite --port 3", true],
  ["vite build", false],
  ["vite preview", false],
  ["vitest run", false],
  ["next dev", true],
  ["next start", false],
  ["nuxt", true],
  ["nuxt build", false],
  ["astro", true],
  ["astro build", false],
  ["react-router dev", true],
  ["ng serve", true],
  ["nodemon app.js", true],
  ["node --watch app.js", true],
  ["tsx watch app.ts", true],
  ["tsx app.ts", false],
  ["ts-node-dev app.ts", true],
  ["webpack serve", true],
  ["webpack", false],
  ["python manage.py runserver $PORT", true],
  ["python manage.py runserver --noreload", false],
  ["bin/rails s -p $PORT", true],
  ["bin/rails runner x", false],
  ["flask --app x run --debug", true],
  ["flask run", false],
  ["uvicorn main:app --reload", true],
  ["uvicorn main:app", false],
  ['concurrently "vite" "node api.js"', true],
  ["npm run dev -- --port $PORT", true],
  ["npm run -s dev", true],
  ["pnpm dev", true],
  ["yarn dev", true],
  ["bun run watch", true],
  ["npm start", false],
  ["npm run loop", false],
  ["npm run missing", false],
  ["npm run constructor", false],
])("whether %j sees edits by itself: %j", (command, expected) => {
  expect(isReloading(command, { scripts })).toBe(expected);
  expect(isReloading(`cd x && ${command}`, { scripts })).toBe(expected);
});
