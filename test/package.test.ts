/** What `npm pack` makes, unpacked as an installation has it. */
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import packageJson from "../package.json" with { type: "json" };
import { writeAtomically } from "../src/base/write-atomically.ts";
import { MARK_VARIABLE } from "../src/environment/places.ts";
import { findMarked, runProgram } from "../src/process/process.ts";

const ROOT = path.join(import.meta.dirname, "..");
const LIMIT_MS = 110_000;
const PACKED = [
  "bin",
  "scripts",
  "src",
  "LICENSE",
  "README.md",
  "package.json",
  "package-lock.json",
];
/** Started while somebody waits. */
const JOINED = ["dist/runtime/keeper-program.js", "dist/runtime/dialer-program.js"];

const serverSchema = z.object({ homeId: z.string() });
const shownSchema = z.object({ processes: z.array(z.object({ state: z.string() })) });

let folder: string;
let installed: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "ramet-package-")));
  const checkout = await copyCheckout();
  await run("npm", ["pack", "--silent", "--pack-destination", folder], checkout);
  const archive = `ramet-${packageJson.version}.tgz`;
  await run("tar", ["-xzf", archive], folder);
  const modules = await linkModules(path.join(folder, "app"));
  installed = path.join(modules, "ramet");
  await cp(path.join(folder, "package"), installed, { recursive: true });
}, LIMIT_MS);

afterAll(() => rm(folder, { recursive: true }));

test("the packed package holds the build and no test, and runs without the source", async () => {
  const version = await run(path.join(installed, "bin/ramet"), ["--version"], folder);
  const files = await readdir(installed, { recursive: true });

  expect(version).toBe(`${packageJson.version}\n`);
  expect(files).toEqual(expect.arrayContaining(["dist/start.js", "dist/main.js", ...JOINED]));
  expect(files.filter((file) => /\.(ts|test\.js)$/.test(file))).toEqual([]);
});

test("a program that somebody waits for is one file, which loads nothing but Node's own", async () => {
  const texts = await Promise.all(
    [...JOINED, "dist/main.js"].map(async (name) => readFile(path.join(installed, name), "utf8")),
  );
  const others = texts.map((text) =>
    [...text.matchAll(/^import\b[^;"]*"([^"]+)"|\bimport\("([^"]+)"\)/gm)]
      .map(([, name, later]) => name ?? later ?? "")
      .filter((name) => !name.startsWith("node:")),
  );

  // The last, which is as the compiler wrote it, shows that others would be seen.
  expect(others).toEqual([[], [], expect.arrayContaining(["./base/problem.js"])]);
});

test("what every command loads is one file, and whoever else imports a part of it has the same", async () => {
  const part = await readFile(path.join(installed, "dist/base/problem.js"), "utf8");
  const app = path.join(folder, "broken-app");
  await mkdir(app);
  await writeAtomically(path.join(app, "ramet.json"), "no JSON");
  const { exitCode, stdout } = await launch(
    path.join(installed, "bin/ramet"),
    ["detect", "--json"],
    app,
  );

  expect(part).toMatch(/^export \{ \S+ as Problem,.* \} from "\.\.\/cli\/joined\.js";\n$/);
  // It is made by a module that is not joined, and told from a mistake of ours by one that is.
  expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({
    exitCode: 2,
    problem: { code: "manifest_invalid" },
  });
});

test(
  "an installed package runs an app, whose keeper is that file",
  { timeout: LIMIT_MS },
  async () => {
    const app = path.join(folder, "somebodys-app");
    await mkdir(app);
    await cp(path.join(ROOT, "test/programs/serves.mjs"), path.join(app, "serves.mjs"));
    const web = { command: "node serves.mjs", ready: { http: "/" } };
    const manifest = { app: "somebodys", database: false, processes: { web } };
    await writeAtomically(path.join(app, "ramet.json"), JSON.stringify(manifest));
    try {
      await ramet(app, "init");
      const { processes } = shownSchema.parse(await ramet(app, "env", "show", "development"));

      expect(processes).toMatchObject([{ state: "ready" }]);
      expect(await findKeeperCommand()).toContain(path.join(installed, JOINED[0] ?? ""));
    } finally {
      await ramet(app, "server", "stop");
    }
  },
);

async function ramet(cwd: string, ...args: readonly string[]): Promise<unknown> {
  const told = await run(path.join(installed, "bin/ramet"), [...args, "--json"], cwd);
  const value: unknown = JSON.parse(told);
  return value;
}

async function findKeeperCommand(): Promise<string> {
  const text = await readFile(path.join(folder, "home/server.json"), "utf8");
  const { homeId } = serverSchema.parse(JSON.parse(text));
  const ours = await findMarked(MARK_VARIABLE, homeId);
  const keeper = ours.find(({ mark }) => mark.endsWith(".keeper"));
  return run("ps", ["-ww", "-o", "args=", "-p", String(keeper?.pid)], folder);
}

/** Packing builds `dist`, which is not to appear in the checkout that is tested. */
async function copyCheckout(): Promise<string> {
  const checkout = path.join(folder, "checkout");
  await mkdir(checkout);
  const configurations = ["tsconfig.json", "tsconfig.build.json"];
  await Promise.all(
    [...PACKED, ...configurations].map((name) =>
      cp(path.join(ROOT, name), path.join(checkout, name), {
        recursive: true,
        preserveTimestamps: true,
      }),
    ),
  );
  await symlink(path.join(ROOT, "node_modules"), path.join(checkout, "node_modules"));
  return checkout;
}

/** The dependencies as an installation has them: beside the package. */
async function linkModules(root: string): Promise<string> {
  const modules = path.join(root, "node_modules");
  await mkdir(modules, { recursive: true });
  const names = await readdir(path.join(ROOT, "node_modules"));
  const links = names.filter((name) => !name.startsWith("."));
  await Promise.all(
    links.map((name) => symlink(path.join(ROOT, "node_modules", name), path.join(modules, name))),
  );
  return modules;
}

async function run(file: string, args: readonly string[], cwd: string): Promise<string> {
  const result = await launch(file, args, cwd);
  expect(result, `${file} ${args.join(" ")}`).toMatchObject({ exitCode: 0 });
  return result.stdout;
}

async function launch(
  file: string,
  args: readonly string[],
  cwd: string,
): Promise<Awaited<ReturnType<typeof runProgram>>> {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? os.homedir(),
    RAMET_HOME: path.join(folder, "home"),
  };
  const wanted = { file, args, folder: cwd, environment, user: null };
  return runProgram(wanted, { timeoutMs: LIMIT_MS });
}
