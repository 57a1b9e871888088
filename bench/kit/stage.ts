import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { exists } from "../../src/base/remove-inside.ts";
import { createdEnvironmentSchema, serverStatusSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { run } from "./program.ts";

export const ROOT = path.join(import.meta.dirname, "../..");
const CLOSE_LIMIT_MS = 120_000;
const serverFileSchema = z.object({ homeId: z.string() });
const packageSchema = z.object({ dependencies: z.record(z.string(), z.string()).optional() });

/** Apps to fork: where they lie, and the packages that they need besides their own installation. */
const APPS = {
  shop: { folder: "examples/shop", packages: [] },
  notes: { folder: "test/apps/notes", packages: ["pg"] },
  ledger: { folder: "bench/apps/ledger", packages: [] },
  storefront: { folder: "bench/apps/storefront", packages: [] },
  answers: { folder: "bench/apps/answers", packages: [] },
} as const satisfies Record<string, { folder: string; packages: readonly string[] }>;
export type AppName = keyof typeof APPS;

type Program = { readonly launcher: string; readonly signal: AbortSignal };

/** A server's home and an app in a git repository of its own, both in one temporary folder below `place`. */
export class Stage {
  readonly folder: string;
  readonly app: string;
  readonly home: string;
  /** Of all that is started: nothing of another Ramet, and the person's own Node. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly #program: Program;

  static async open(place: string, app: AppName, program: Program): Promise<Stage> {
    const folder = await realpath(await mkdtemp(path.join(place, "ramet-bench-")));
    const stage = new Stage(folder, program);
    try {
      // As root, databases run as users of their own, who must be able to walk through here.
      await chmod(folder, 0o711);
      await copyApp(stage, app, program.signal);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  private constructor(folder: string, program: Program) {
    this.folder = folder;
    this.app = path.join(folder, "app");
    this.home = path.join(folder, "home");
    this.environment = pickEnvironment(this.home);
    this.#program = program;
  }

  /** A command as a whole process; resolves with its `--json`. */
  async ramet(...args: readonly string[]): Promise<unknown> {
    const answer: unknown = JSON.parse(
      await this.#ramet([...args, "--json"], this.#program.signal),
    );
    return answer;
  }

  /** Keys of its ramet.json. */
  async change(keys: Readonly<Record<string, unknown>>): Promise<void> {
    const file = path.join(this.app, "ramet.json");
    const manifest: unknown = JSON.parse(await readFile(file, "utf8"));
    const whole = { ...(typeof manifest === "object" ? manifest : {}), ...keys };
    await writeFile(file, JSON.stringify(whole));
  }

  async create(name: string): Promise<CreatedEnvironment> {
    return createdEnvironmentSchema.parse(await this.ramet("env", "create", name));
  }

  async delete(name: string): Promise<void> {
    await this.ramet("env", "delete", name, "--force");
  }

  async run(file: string, ...args: readonly string[]): Promise<string> {
    const where = { folder: this.app, environment: this.environment, signal: this.#program.signal };
    return run({ file, args, ...where });
  }

  /** What the marks of its processes begin with. */
  async readHomeId(): Promise<string> {
    const text = await readFile(path.join(this.home, "server.json"), "utf8");
    return serverFileSchema.parse(JSON.parse(text)).homeId;
  }

  async readServerPid(): Promise<number> {
    const { pid } = serverStatusSchema.parse(await this.ramet("server", "status"));
    if (pid === null) throw new Error("The server does not run.");
    return pid;
  }

  /** Ends all that runs, also after an interruption, and removes the folder. */
  async close(): Promise<void> {
    if (await exists(this.home))
      await this.#ramet(["server", "stop", "--json"], AbortSignal.timeout(CLOSE_LIMIT_MS));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #ramet(args: readonly string[], signal: AbortSignal): Promise<string> {
    const where = { folder: this.app, environment: this.environment, signal };
    return run({ file: this.#program.launcher, args, ...where });
  }
}

/** Of the person's own, what tells a Ramet nothing of another. */
export function pickEnvironment(home: string): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(RAMET|GIT)_/.test(name));
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  const own = folders.filter((folder) => !folder.includes(`${path.sep}node_modules${path.sep}`));
  return { ...Object.fromEntries(kept), PATH: own.join(path.delimiter), RAMET_HOME: home };
}

async function copyApp(stage: Stage, name: AppName, signal: AbortSignal): Promise<void> {
  const { folder, packages } = APPS[name];
  await cp(path.join(ROOT, folder), stage.app, {
    recursive: true,
    filter: (file) => path.basename(file) !== "node_modules",
  });
  for (const one of await withDependencies(packages)) await copyPackage(stage.app, one);
  signal.throwIfAborted();
  await stage.run("git", "init", "-q", "-b", "main");
  await stage.run("sh", "-c", "echo node_modules > .git/info/exclude");
  await stage.run("git", "add", "-A");
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
  const commit = ["-c", "commit.gpgsign=false", "commit", "-qm", "The app"];
  await stage.run("git", ...identity, ...commit);
}

async function copyPackage(app: string, name: string): Promise<void> {
  const target = path.join(app, "node_modules", name);
  await mkdir(path.dirname(target), { recursive: true });
  await cp(path.join(ROOT, "node_modules", name), target, { recursive: true });
}

async function withDependencies(names: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set(names);
  // What is added while it goes on comes by too.
  for (const name of found) {
    const file = path.join(ROOT, "node_modules", name, "package.json");
    const { dependencies } = packageSchema.parse(JSON.parse(await readFile(file, "utf8")));
    for (const one of Object.keys(dependencies ?? {})) found.add(one);
  }
  return found;
}
