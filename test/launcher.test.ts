/** `bin/ramet` in every place where npm may put it, with every Node that may or may not be there. */
import { chmod, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import packageJson from "../package.json" with { type: "json" };
import { NODE_ARGUMENTS } from "../src/base/own-program.ts";
import { runProgram } from "../src/process/process.ts";
import type { ProgramResult } from "../src/process/process.ts";

const ROOT = path.join(import.meta.dirname, "..");
const LIMIT_MS = 20_000;
const NODE_PACKAGE = `node-${process.platform === "darwin" && process.arch === "arm64" ? "bin-" : ""}${process.platform}-${process.arch}`;

/** Says how it was started, and ends as its arguments tell. */
const MAIN = `
  const [verb, value] = process.argv.slice(2);
  console.log(JSON.stringify({ file: process.argv[1], node: process.execArgv, args: process.argv.slice(2) }));
  if (verb === "exit") process.exitCode = Number(value);
  if (verb === "die") process.kill(process.pid, value);
`;

/** What the shell script calls; a PATH of these alone has no Node. */
const TOOLS = ["readlink", "tr", "uname"];

let folder: string;
let tools: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "ramet-launcher-")));
  tools = path.join(folder, "tools");
  await mkdir(tools);
  await Promise.all(
    TOOLS.map(async (tool) => symlink(await findTool(tool), path.join(tools, tool))),
  );
});

afterEach(() => rm(folder, { recursive: true }));

test("a checkout runs its source, with the arguments as they came and the exit code passed on", async () => {
  const checkout = await createPackage("checkout", "src/start.js");
  await addNode(checkout);

  const result = await run(path.join(checkout, "bin/ramet"), [
    "exit",
    "5",
    "a b",
    "",
    "*",
    "--",
    "-x",
  ]);

  expect(result.exitCode).toBe(5);
  expect(JSON.parse(result.stdout)).toEqual({
    file: path.join(checkout, "src/start.js"),
    node: ["--disable-warning=ExperimentalWarning", ...NODE_ARGUMENTS],
    args: ["exit", "5", "a b", "", "*", "--", "-x"],
  });
});

test("an installed package runs its build, through npm's link, with the Node hoisted beside it", async () => {
  const installed = await createPackage("app/node_modules/ramet", "dist/start.js");
  await addNode(path.join(folder, "app"));
  await mkdir(path.join(folder, "app/node_modules/.bin"));
  const link = path.join(folder, "app/node_modules/.bin/ramet");
  await symlink("../ramet/bin/ramet", link);

  const result = await run(link, ["exit", "0"]);

  expect(JSON.parse(result.stdout).file).toBe(path.join(installed, "dist/start.js"));
});

test("a linked checkout finds the Node of the checkout, not of where the link is", async () => {
  const checkout = await createPackage("a checkout", "src/start.js");
  await addNode(checkout);
  await mkdir(path.join(folder, "bin"));
  await symlink(checkout, path.join(folder, "linked"));
  await symlink("../linked/bin/ramet", path.join(folder, "bin/ramet"));

  const result = await run(path.join(folder, "bin/ramet"), ["exit", "0"]);

  expect(JSON.parse(result.stdout).file).toBe(path.join(checkout, "src/start.js"));
});

test("a signal that ends the program ends the launcher, which has become the program", async () => {
  const checkout = await createPackage("checkout", "src/start.js");
  await addNode(checkout);

  const result = await run(path.join(checkout, "bin/ramet"), ["die", "SIGKILL"]);

  expect(result.signal).toBe("SIGKILL");
});

test("without its own Node it takes one from the PATH that is new enough", async () => {
  const checkout = await createPackage("checkout", "src/start.js");
  await symlink(process.execPath, path.join(tools, "node"));

  const result = await run(path.join(checkout, "bin/ramet"), ["exit", "3"]);

  expect(result.exitCode).toBe(3);
});

test.for([
  { on: "an old Node", version: "v20.20.2", found: "v20.20.2" },
  { on: "a Node that says nothing sensible", version: '$(x) "y"', found: "" },
  { on: "no Node", version: null, found: "none" },
])("with $on on the PATH alone it is a problem, also as JSON", async ({ version, found }) => {
  const checkout = await createPackage("checkout", "src/start.js");
  if (version !== null) await createProgram(path.join(tools, "node"), `echo '${version}'`);
  const ramet = path.join(checkout, "bin/ramet");

  const [text, json, behind] = await Promise.all([
    run(ramet, ["env", "list"]),
    run(ramet, ["env", "list", "--json"]),
    run(ramet, ["run", "--", "--json"]),
  ]);

  expect([text.exitCode, json.exitCode, behind.exitCode]).toEqual([2, 2, 2]);
  expect(JSON.parse(json.stdout)).toEqual({
    problem: {
      code: "node_missing",
      message: expect.stringContaining(`on the PATH there is ${found}`),
      remedy: expect.stringContaining("npm install"),
    },
  });
  expect([text.stdout, behind.stdout, json.stderr]).toEqual(["", "", ""]);
  expect(text.stderr).toContain("Ramet needs Node 24");
});

test("node bin/ramet works as well", async () => {
  const checkout = await createPackage("checkout", "src/start.js");
  await addNode(checkout);

  const result = await run(process.execPath, [path.join(checkout, "bin/ramet"), "exit", "4"]);

  expect(result.exitCode).toBe(4);
  expect(JSON.parse(result.stdout).args).toEqual(["exit", "4"]);
});

test("this checkout's launcher runs this checkout", async () => {
  const result = await run(path.join(ROOT, "bin/ramet"), ["--version"]);

  expect(result).toMatchObject({ exitCode: 0, stdout: `${packageJson.version}\n` });
});

/** A folder as npm makes it: the launcher, and what it is to start. */
async function createPackage(name: string, main: string): Promise<string> {
  const root = path.join(folder, name);
  await mkdir(path.join(root, path.dirname(main)), { recursive: true });
  await mkdir(path.join(root, "bin"));
  await cp(path.join(ROOT, "bin/ramet"), path.join(root, "bin/ramet"));
  await writeFile(path.join(root, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(path.join(root, main), MAIN);
  return root;
}

async function addNode(root: string): Promise<void> {
  const bin = path.join(root, "node_modules", NODE_PACKAGE, "bin");
  await mkdir(bin, { recursive: true });
  await symlink(process.execPath, path.join(bin, "node"));
}

async function createProgram(file: string, script: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

async function findTool(name: string): Promise<string> {
  const search = { file: "/bin/sh", args: ["-c", `command -v ${name}`], folder, user: null };
  const environment = { PATH: process.env["PATH"] ?? "" };
  const { stdout } = await runProgram({ ...search, environment }, { timeoutMs: LIMIT_MS });
  return stdout.trim();
}

function run(file: string, args: readonly string[]): Promise<ProgramResult> {
  const launch = { file, args, folder, environment: { PATH: tools }, user: null };
  return runProgram(launch, { timeoutMs: LIMIT_MS });
}
