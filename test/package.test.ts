/** What `npm pack` makes, unpacked as an installation has it. */
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import packageJson from "../package.json" with { type: "json" };
import { runProgram } from "../src/process/process.ts";

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

test(
  "the packed package holds the build and no test, and runs without the source",
  { timeout: 2 * LIMIT_MS },
  async () => {
    const folder = await createFolder();
    const checkout = await copyCheckout(folder);
    await run("npm", ["pack", "--silent", "--pack-destination", folder], checkout);
    const archive = `ramet-${packageJson.version}.tgz`;
    await run("tar", ["-xzf", archive], folder);

    const modules = await linkModules(path.join(folder, "app"));
    await cp(path.join(folder, "package"), path.join(modules, "ramet"), { recursive: true });
    const version = await run(path.join(modules, "ramet/bin/ramet"), ["--version"], folder);
    const files = await readdir(path.join(modules, "ramet"), { recursive: true });

    expect(version).toBe(`${packageJson.version}\n`);
    expect(files).toEqual(expect.arrayContaining(["dist/start.js", "dist/main.js"]));
    expect(files.filter((file) => /\.(ts|test\.js)$/.test(file))).toEqual([]);
  },
);

async function createFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "ramet-package-")));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Packing builds `dist`, which is not to appear in the checkout that is tested. */
async function copyCheckout(folder: string): Promise<string> {
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

async function run(file: string, args: readonly string[], folder: string): Promise<string> {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? os.homedir(),
  };
  const launch = { file, args, folder, environment, user: null };
  const result = await runProgram(launch, { timeoutMs: LIMIT_MS });
  expect(result, `${file} ${args.join(" ")}`).toMatchObject({ exitCode: 0 });
  return result.stdout;
}
