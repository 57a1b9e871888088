import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../base/write-atomically.ts";
import { findManifest } from "./manifest.ts";
import { findPackageFile, hasDependencies } from "./reading/package-file.ts";
import { findPackageManager, hasOwnLockFile } from "./reading/package-manager.ts";
import { findPortFlags } from "./reading/script-tool.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-tools-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function put(name: string, value: unknown = ""): Promise<void> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeAtomically(file, typeof value === "string" ? value : JSON.stringify(value));
}

const VITE = "--port $PORT --strictPort --host $HOST";

test.each<[script: string, flags: string | null]>([
  ["vite", VITE],
  ["vite --open", VITE],
  ["vite dev --mode x", VITE],
  ["vite build", null],
  ["node_modules/.bin/vite", VITE],
  ["./node_modules/.bin/vite preview", VITE],
  ["FORCE=1 vite", VITE],
  ["cross-env A=1 B=2 vite", VITE],
  ["npx vite", VITE],
  ["pnpm exec vite", VITE],
  ["dotenv -e .env -- vite", VITE],
  ["tsc && vite", VITE],
  ["tsc; vite", VITE],
  ["vite & node api.js", null],
  ["vite && echo done", null],
  ["vite | tee log", null],
  ["vitest", null],
  ["echo vite", null],
  ["next dev", "-p $PORT -H $HOST"],
  ["next", "-p $PORT -H $HOST"],
  ["next build", null],
  ["astro dev", "--port $PORT --host $HOST"],
  ["astro check", null],
  ["react-router dev", VITE],
  ["react-router build", null],
  ["remix vite:dev", VITE],
  ["ng serve", "--port $PORT --host $HOST"],
  ["ng", null],
  ["gatsby develop", "-p $PORT -H $HOST"],
  ["webpack serve --mode x", "--port $PORT --host $HOST"],
  ["webpack", null],
  ["node server.js", null],
  ["", null],
  ["   ", null],
])("the script %j takes its port by %j", (script, flags) => {
  expect(findPortFlags(script)).toBe(flags);
});

test.each<[locks: readonly string[], packageManager: string | undefined, install: string]>([
  [[], undefined, "npm install"],
  [["package-lock.json"], undefined, "npm ci"],
  [["npm-shrinkwrap.json"], undefined, "npm ci"],
  [["pnpm-lock.yaml"], undefined, "pnpm install --frozen-lockfile"],
  [["yarn.lock"], undefined, "yarn install --frozen-lockfile"],
  [["yarn.lock"], "yarn@1.22.0", "yarn install --frozen-lockfile"],
  [["yarn.lock"], "yarn@4.0.0", "yarn install --immutable"],
  [["yarn.lock", ".yarnrc.yml"], undefined, "yarn install --immutable"],
  [["yarn.lock", ".yarnrc.yml"], "yarn@1.22.0", "yarn install --frozen-lockfile"],
  [["bun.lock"], undefined, "bun install"],
  [["bun.lockb"], undefined, "bun install"],
  [[], "pnpm@9.1.0", "pnpm install"],
  [[], "bun@1.2.0", "bun install"],
  [[], "unknown@1", "npm install"],
  [["package-lock.json"], "pnpm@9.1.0", "npm ci"],
  [["package-lock.json", "npm-shrinkwrap.json"], undefined, "npm ci"],
  [["bun.lock", "bun.lockb"], undefined, "bun install"],
  [["package-lock.json", "pnpm-lock.yaml"], "pnpm@9.1.0", "pnpm install --frozen-lockfile"],
  [["package-lock.json", "yarn.lock"], "yarn@4.1.0", "yarn install --immutable"],
])(
  "with %j and packageManager %j the packages come by %j",
  async (locks, packageManager, install) => {
    for (const lock of locks) await put(lock);
    const file = packageManager === undefined ? {} : { packageManager };
    expect(findPackageManager(new Set(locks), file, undefined).install).toBe(install);
    expect(await hasOwnLockFile(folder)).toBe(locks.length > 0);
  },
);

test.each([
  [{ dependencies: { a: "1" } }, true],
  [{ devDependencies: { a: "1" } }, true],
  [{ optionalDependencies: { a: "1" } }, true],
  [{ workspaces: [] }, true],
  [{ dependencies: {} }, false],
  [{}, false],
])("whether %j has anything to install: %j", (file, expected) => {
  expect(hasDependencies(file)).toBe(expected);
});

test("what package.json holds besides is of no concern, and its order of keys neither", async () => {
  await put("package.json", {
    version: 5,
    name: ["odd"],
    engines: { node: ">=20" },
    scripts: { start: "node x" },
    packageManager: "npm@10.0.0",
  });
  expect(await findPackageFile(folder)).toEqual({
    scripts: { start: "node x" },
    packageManager: "npm@10.0.0",
  });
});

test("each package manager runs the script in its own words, with the flags where they go", async () => {
  const commands: Record<string, string | undefined> = {};
  for (const lock of ["package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"]) {
    await put("package.json", { scripts: { dev: "vite" } });
    await put(lock);
    commands[lock] = (await findManifest(folder))?.processes["web"]?.command;
    await rm(path.join(folder, lock));
  }
  expect(commands).toEqual({
    "package-lock.json": `npm run dev -- ${VITE}`,
    "pnpm-lock.yaml": `pnpm run dev ${VITE}`,
    "yarn.lock": `yarn run dev ${VITE}`,
    "bun.lock": `bun run dev ${VITE}`,
  });
});

test("dev goes before start, and a script of blanks is none", async () => {
  await put("package.json", { scripts: { start: "node start.js", dev: "node dev.js" } });
  expect((await findManifest(folder))?.source).toBe("package.json (dev)");
  await put("package.json", { scripts: { start: "node start.js", dev: "  " } });
  expect((await findManifest(folder))?.source).toBe("package.json (start)");
});
