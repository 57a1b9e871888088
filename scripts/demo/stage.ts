import { chmod, cp, mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { z } from "zod";

import { waitFor } from "../../src/base/clock.ts";
import { hasErrorCode } from "../../src/base/problem.ts";
import { problemSchema } from "../../src/protocol/schemas.ts";
import { runProgram } from "./program.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const STOP_MS = 90_000;
const LEAVE_MS = 10_000;
const NOTHING = { command: "", environment: "" };

const failureSchema = z.object({ problem: problemSchema });

/** Folders of its own for everything, and Ramet's commands run in them; nothing of it outlives `close`. */
export class Stage {
  readonly folder: string;
  readonly shop: string;
  readonly #signal: AbortSignal;
  readonly #environment: Record<string, string | undefined>;

  static async open(signal: AbortSignal): Promise<Stage> {
    const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), "ramet-demo-")));
    // As root, databases run as users of their own, who must be able to walk through here.
    await chmod(folder, 0o711);
    return new Stage(folder, signal);
  }

  private constructor(folder: string, signal: AbortSignal) {
    this.folder = folder;
    this.shop = path.join(folder, "shop");
    this.#signal = signal;
    this.#environment = pickEnvironment(path.join(folder, "home"));
  }

  /** The sample app, in a git repository of its own. */
  async createShop(): Promise<void> {
    const source = path.join(ROOT, "examples/shop");
    await cp(source, this.shop, {
      recursive: true,
      filter: (file) => path.basename(file) !== "node_modules",
    });
    await this.git(["init", "--quiet", "--initial-branch=main"]);
    await this.git(["add", "--all"]);
    const author = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com"];
    await this.git([
      ...author,
      "-c",
      "commit.gpgsign=false",
      "commit",
      "--quiet",
      "-m",
      "The shop",
    ]);
  }

  async git(args: readonly string[]): Promise<void> {
    const ended = await runProgram({ ...this.#in(this.shop), file: "git", args });
    if (ended.exitCode !== 0) throw new Error(`git ${args.join(" ")} failed: ${ended.stderr}`);
  }

  /** A command of Ramet with `--json`, its answer checked against the published shape. */
  async ramet<T>(args: readonly string[], answer: z.ZodType<T>, folder = this.shop): Promise<T> {
    const stdout = await this.#ramet([...args, "--json"], { folder, signal: this.#signal });
    return answer.parse(JSON.parse(stdout));
  }

  /** `ramet run -- COMMAND`. */
  async run(command: readonly string[], folder: string): Promise<void> {
    await this.#ramet(["run", "--", ...command], { folder, signal: this.#signal });
  }

  /** Clears up whatever was begun, also after an interruption. Resolves with what was left over. */
  async close(): Promise<readonly string[]> {
    try {
      let left = await this.#stopServer();
      // One that was only just being started when we were interrupted hears of the end the second time.
      if (left.length > 0) left = await this.#stopServer();
      await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
      return left.map((command) => `Still runs: ${command}`);
    } catch (error) {
      return [`${this.folder} is left: ${error instanceof Error ? error.message : error}`];
    }
  }

  /** A server that has answered its last call leaves a moment later. Resolves with the programs that stay. */
  async #stopServer(): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(STOP_MS);
    await this.#ramet(["server", "stop", "--json"], { folder: this.folder, signal });
    let programs = await findPrograms(this.folder);
    await waitFor(
      async () => {
        if (programs.length > 0) programs = await findPrograms(this.folder);
        return programs.length === 0 ? true : undefined;
      },
      { timeoutMs: LEAVE_MS, everyMs: 50 },
    );
    return programs;
  }

  async #ramet(args: readonly string[], where: Where): Promise<string> {
    const program = {
      ...this.#in(where.folder),
      ...where,
      file: path.join(ROOT, "bin/ramet"),
      args,
    };
    const { exitCode, stdout, stderr } = await runProgram(program);
    if (exitCode === 0) return stdout;
    throw new Error(
      `ramet ${args.join(" ")} failed\n${describeFailure(stdout) ?? (stderr || stdout)}`,
    );
  }

  #in(folder: string): {
    folder: string;
    environment: Record<string, string | undefined>;
    signal: AbortSignal;
  } {
    return { folder, environment: this.#environment, signal: this.#signal };
  }
}

type Where = { readonly folder: string; readonly signal: AbortSignal };

/**
 * What we run in is not to decide what is shown: another Ramet's variables, or git's inside a hook. And the sample app
 * finds the Node and npm of the person's own shell, not those that this script runs with.
 */
function pickEnvironment(home: string): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(RAMET|GIT)_/.test(name));
  const search = (process.env["PATH"] ?? "").split(path.delimiter);
  const own = search.filter((folder) => !folder.split(path.sep).includes("node_modules"));
  return { ...Object.fromEntries(kept), PATH: own.join(path.delimiter), RAMET_HOME: home };
}

function describeFailure(stdout: string): string | undefined {
  try {
    const { message, remedy } = failureSchema.parse(JSON.parse(stdout)).problem;
    return `${message}\n${remedy}`;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** Other programs that were started with, or are told about, this folder; Linux only. */
async function findPrograms(folder: string): Promise<readonly string[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const others = pids.filter((pid) => pid !== String(process.pid));
  const programs = await Promise.all(others.map(readProgram));
  return programs
    .filter(({ command, environment }) => `${command}\n${environment}`.includes(folder))
    .map(({ command }) => command);
}

async function readProgram(pid: string): Promise<{ command: string; environment: string }> {
  try {
    const [command, environment] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, "latin1"),
      readFile(`/proc/${pid}/environ`, "latin1"),
    ]);
    return { command: `${pid} ${command.replaceAll("\0", " ")}`, environment };
  } catch (error) {
    // It ended meanwhile, or is another user's and so not ours.
    if (hasErrorCode(error, "ENOENT", "ESRCH", "EACCES", "EPERM")) return NOTHING;
    throw error;
  }
}
