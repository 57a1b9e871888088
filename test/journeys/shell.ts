import { readFile, realpath } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../../src/base/clock.ts";
import { endGroup, runProgram, startPiped } from "../../src/process/process.ts";
import type { Launch } from "../../src/process/process.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { listInherited } from "../../src/server/inherited.ts";
import { ROOT } from "./stage.ts";
import type { Stage } from "./stage.ts";

const LINE_LIMIT_MS = 240_000;
const SHOW_LIMIT_MS = 60_000;
const END_LIMIT_MS = 20_000;
/** Who commits, and Ramet's own home, are all that a person's shell has besides the machine's own. */
const AUTHOR = { NAME: "Test", EMAIL: "test@example.com" };

/** A command that goes on until it is told to stop. */
export type Running = {
  /** Resolves once it has printed this; rejects with what it printed instead. */
  shows(text: string): Promise<void>;
  /** What a terminal's Ctrl-C or somebody's `kill` does. Resolves with its exit code. */
  stop(how: "ctrl-c" | "kill"): Promise<number | null>;
};

/** Runs a line as a person types it in a folder, `ramet` on the PATH. Throws with what it printed where it failed. */
export async function type(stage: Stage, folder: string, line: string): Promise<string> {
  const launch = launchIn(stage, folder, ["sh", "-c", line]);
  const ended = await runProgram(launch, { timeoutMs: LINE_LIMIT_MS });
  if (ended.exitCode === 0) return ended.stdout;
  throw new Error(`${line}: ${ended.exitCode ?? ended.signal}\n${ended.stdout}${ended.stderr}`);
}

async function start(stage: Stage, folder: string, command: readonly string[]): Promise<Running> {
  const program = await startPiped(launchIn(stage, folder, command));
  let printed = "";
  for (const stream of [program.stdout, program.stderr])
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
  return {
    shows: async (text) => {
      const seen = () => Promise.resolve(printed.includes(text) ? true : undefined);
      if ((await waitFor(seen, { timeoutMs: SHOW_LIMIT_MS, everyMs: 20 })) !== true)
        throw new Error(`${command.join(" ")} never showed ${text}, but:\n${printed}`);
    },
    stop: async (how) => {
      // A terminal sends its signal to all that run in it.
      process.kill(how === "ctrl-c" ? -program.pid : program.pid, SIGNALS[how]);
      const limit = AbortSignal.timeout(END_LIMIT_MS);
      limit.addEventListener("abort", () => void endGroup(program.pid, { graceMs: 0 }));
      return (await program.exited).exitCode;
    },
  };
}

/** The environment that a folder is bound to. */
export async function show(
  stage: Stage,
  folder: string,
): Promise<EnvironmentView & { readonly url: string; readonly databaseUrl: string }> {
  const shown = environmentSchema.parse(await stage.json(folder, ["env", "show"]));
  const { url, databaseUrl } = shown;
  if (url === null || databaseUrl === null)
    throw new Error(`It has no addresses: ${JSON.stringify(shown)}`);
  return { ...shown, url, databaseUrl };
}

export type Guided = {
  readonly stage: Stage;
  readonly app: string;
  readonly name: string;
  readonly workspace: "worktree" | "clone";
  /** What the agent does, while `ramet dev` runs. */
  readonly work: (folder: string, dev: Running) => Promise<void>;
};

/** Follows the README's guide, line by line, in a worktree; in a clone all lines but git's own are the same. */
export async function followGuide({ stage, app, name, workspace, work }: Guided): Promise<void> {
  const [begin = "", ...lines] = await readGuide(name, workspace);
  await type(stage, app, begin);
  const folder = await realpath(path.join(app, "..", name));
  for (const line of lines) {
    if (line !== "ramet dev") {
      await type(stage, folder, line);
      continue;
    }
    const dev = await start(stage, folder, line.split(" "));
    let exitCode: number | null = null;
    try {
      await work(folder, dev);
    } finally {
      exitCode = await dev.stop(workspace === "worktree" ? "ctrl-c" : "kill");
    }
    if (exitCode !== 0) throw new Error(`${line} ended with ${exitCode} when it was stopped.`);
  }
}

async function readGuide(name: string, workspace: "worktree" | "clone"): Promise<string[]> {
  const readme = await readFile(path.join(ROOT, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  const guide = blocks.find((block) => block.startsWith("git worktree add"));
  if (guide === undefined) throw new Error("The README has no guide.");
  const lines = guide.split("\n").map((line) => line.replace(/#.*/, "").trim());
  if (!lines.includes("ramet dev")) throw new Error("The README's guide has no `ramet dev`.");
  return lines
    .filter((line) => line !== "")
    .map((line) => line.replaceAll("agent-feature", name))
    .map((line) => (workspace === "worktree" ? line : inClone(line)));
}

function inClone(line: string): string {
  return line
    .replace(/git worktree add (\S+)/, "git clone --quiet . $1")
    .replace("git worktree remove", "rm -r");
}

const SIGNALS = { "ctrl-c": "SIGINT", kill: "SIGTERM" } as const;

function launchIn(stage: Stage, folder: string, command: readonly string[]): Launch {
  const [file = "", ...args] = command;
  const environment = {
    ...listInherited(process.env),
    PATH: [path.join(ROOT, "bin"), process.env["PATH"]].join(path.delimiter),
    GIT_AUTHOR_NAME: AUTHOR.NAME,
    GIT_AUTHOR_EMAIL: AUTHOR.EMAIL,
    GIT_COMMITTER_NAME: AUTHOR.NAME,
    GIT_COMMITTER_EMAIL: AUTHOR.EMAIL,
    RAMET_HOME: stage.home,
  };
  return { file, args, folder, environment, user: null };
}
