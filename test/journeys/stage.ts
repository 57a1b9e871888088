import { cp, mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";

import { z } from "zod";

import { waitFor } from "../../src/base/clock.ts";
import { runCli } from "../../src/cli/cli.ts";
import type { Context } from "../../src/cli/cli.ts";
import { findMarked, runProgram } from "../../src/process/process.ts";
import { findHome } from "../../src/protocol/home.ts";
import { workAlone } from "../../src/server/server.ts";

export const ROOT = path.join(import.meta.dirname, "..", "..");
const MAIN = path.join(ROOT, "src", "main.ts");

/** What one command printed, and how it ended. */
export type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** A server's home and folders of its own in a temporary place; closing it proves that nothing is left. */
export type Stage = {
  readonly folder: string;
  readonly home: string;
  /** Runs a command as in a folder; no terminal, so that nothing asks. */
  ramet(folder: string, argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** The same with --json, parsed. Throws where the command failed. */
  json(folder: string, argv: readonly string[], options?: RunOptions): Promise<unknown>;
  git(folder: string, ...args: readonly string[]): Promise<string>;
  run(folder: string, file: string, ...args: readonly string[]): Promise<string>;
  /** A copy of `test/apps/<name>` with its packages, in a repository of its own. */
  copyApp(name: string, packages: readonly string[]): Promise<string>;
  close(): Promise<void>;
};

export type RunOptions = {
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly onStdout?: (text: string) => void;
};

const packageSchema = z.object({ dependencies: z.record(z.string(), z.string()).optional() });
const serverSchema = z.object({ homeId: z.string() });

const STEP_LIMIT_MS = 240_000;
const PATIENTLY = { maxRetries: 10, retryDelay: 100 };

export async function openStage(): Promise<Stage> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-stage-")));
  const home = path.join(folder, "home");
  const stage: Stage = {
    folder,
    home,
    ramet: async (cwd, argv, options = {}) => runCommand(cwd, { argv, home, options }),
    json: async (cwd, argv, options = {}) => {
      const ran = await runCommand(cwd, { argv: [...argv, "--json"], home, options });
      if (ran.exitCode !== 0)
        throw new Error(`ramet ${argv.join(" ")}: ${ran.exitCode} ${ran.stdout} ${ran.stderr}`);
      return parseJson(ran.stdout);
    },
    git: async (cwd, ...args) =>
      runTool(cwd, "git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...args]),
    run: async (cwd, file, ...args) => runTool(cwd, file, args),
    copyApp: async (name, packages) => copyApp(stage, name, packages),
    close: async () => close(stage),
  };
  return stage;
}

/** A GET of an environment's URL: Node does not resolve `*.localhost` by itself. */
export async function fetchText(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const { port, host, pathname } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const sent = request(
    { host: "127.0.0.1", port, path: pathname, headers: { ...headers, host }, timeout: 40_000 },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    },
  );
  sent
    .on("error", reject)
    .on("timeout", () => sent.destroy(new Error(`${url} did not answer`)))
    .end();
  return promise;
}

export async function fetchJson(url: string): Promise<unknown> {
  const { text } = await fetchText(url, { accept: "application/json" });
  return JSON.parse(text);
}

/** Waits until what is asked no longer throws; the last failure is thrown at the limit. */
export async function eventually<T>(ask: () => Promise<T>, timeoutMs = 20_000): Promise<T> {
  let failure: unknown;
  const answer = await waitFor(
    async () => {
      try {
        return { value: await ask() };
      } catch (error) {
        failure = error;
        return undefined;
      }
    },
    { timeoutMs, everyMs: 50 },
  );
  if (answer === undefined) throw failure;
  return answer.value;
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

type Command = {
  readonly argv: readonly string[];
  readonly home: string;
  readonly options: RunOptions;
};

async function runCommand(folder: string, { argv, home, options }: Command): Promise<Ran> {
  const printed = { stdout: "", stderr: "" };
  const writer = (name: "stdout" | "stderr"): Context["stdout"] => ({
    isTerminal: false,
    columns: Infinity,
    write: (text) => {
      printed[name] += text;
      if (name === "stdout") options.onStdout?.(text);
    },
  });
  const environment = { ...process.env, RAMET_HOME: home, NO_COLOR: "1" };
  const uid = process.getuid?.() ?? null;
  const place = findHome({ environment, uid, userHome: folder });
  const exitCode = await runCli(argv, {
    folder,
    environment,
    stdin: { isTerminal: false, open: () => new PassThrough().end(options.input ?? "") },
    stdout: writer("stdout"),
    stderr: writer("stderr"),
    home: place,
    program: [process.execPath, MAIN],
    uid,
    alone: async (work) => workAlone(place, work),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { exitCode, ...printed };
}

async function runTool(folder: string, file: string, args: readonly string[]): Promise<string> {
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "/",
    LC_ALL: "C",
  };
  const result = await runProgram(
    { file, args, folder, environment, user: null },
    { timeoutMs: STEP_LIMIT_MS },
  );
  if (result.exitCode !== 0)
    throw new Error(`${file} ${args.join(" ")}: ${result.stdout}${result.stderr}`);
  return result.stdout.trim();
}

async function copyApp(stage: Stage, name: string, packages: readonly string[]): Promise<string> {
  const target = path.join(stage.folder, name);
  await cp(path.join(ROOT, "test", "apps", name), target, { recursive: true });
  await mkdir(path.join(target, "node_modules"));
  for (const one of await withDependencies(packages)) {
    await cp(path.join(ROOT, "node_modules", one), path.join(target, "node_modules", one), {
      recursive: true,
    });
  }
  await stage.git(target, "init", "-q", "-b", "main");
  await stage.git(target, "add", "-A");
  await stage.git(target, "commit", "-qm", "The app");
  return target;
}

async function withDependencies(
  packages: readonly string[],
  known: ReadonlySet<string> = new Set(),
): Promise<ReadonlySet<string>> {
  let found = new Set([...known, ...packages]);
  for (const one of packages) {
    const file = path.join(ROOT, "node_modules", one, "package.json");
    const manifest = packageSchema.parse(parseJson(await readFile(file, "utf8")));
    const fresh = Object.keys(manifest.dependencies ?? {}).filter((name) => !found.has(name));
    found = new Set([...found, ...(await withDependencies(fresh, found))]);
  }
  return found;
}

/** Ends all, and throws where anything of this home is left on the machine. */
async function close(stage: Stage): Promise<void> {
  const homeId = await readHomeId(stage.home);
  await stage.ramet(stage.folder, ["server", "stop"]);
  const left = homeId === undefined ? [] : await findMarked("RAMET_MARK", `${homeId}.`);
  const shared = await findShared(stage.home);
  if (shared !== undefined) await rm(shared, { recursive: true, force: true });
  // Whoever was just ended may still write down what it had compiled.
  await rm(stage.folder, { recursive: true, force: true, ...PATIENTLY });
  if (left.length > 0) throw new Error(`Left over: ${JSON.stringify(left)}`);
}

/** Where root's server keeps what other users must reach, when its home lies where they may not go. */
async function findShared(home: string): Promise<string | undefined> {
  try {
    return await realpath(path.join(home, "shared"));
  } catch {
    // Its home is open to all, or it never ran: all that there is lies inside.
    return undefined;
  }
}

async function readHomeId(home: string): Promise<string | undefined> {
  try {
    const file = serverSchema.parse(
      parseJson(await readFile(path.join(home, "server.json"), "utf8")),
    );
    return file.homeId;
  } catch {
    // No server was ever started: nothing can be left of it.
    return undefined;
  }
}
