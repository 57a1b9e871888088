import { readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { sleep } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import { openHere } from "./places.ts";
import { run, serve } from "./program.ts";
import type { Bench } from "./scene.ts";
import { Stage } from "./stage.ts";

/** A clone of the notes, bound to an environment whose files the server keeps. */
export type Pairing = {
  readonly bench: Bench;
  readonly stage: Stage;
  readonly clone: string;
  /** The environment's own tree. */
  readonly kept: string;
  /** A command in the clone, as a whole process. */
  readonly ramet: (...args: readonly string[]) => Promise<string>;
  readonly git: (...args: readonly string[]) => Promise<string>;
};

const LIMIT_MS = 30_000;
const POLL_MS = 5;
const LINE = "const value = compute(state, { retries: 3, limit: 100 }); // of the tree\n";
const FOLDER_FILES = 50;

export async function openPairing(bench: Bench, undo: UndoStack): Promise<Pairing> {
  const stage = await Stage.open(await openHere(undo), "notes", bench);
  undo.push(() => stage.close());
  await stage.ramet("init");
  await stage.create("review");
  const clone = path.join(stage.folder, "clone");
  await stage.run("git", "clone", "-q", stage.app, clone);
  const where = { folder: clone, environment: stage.environment, signal: bench.signal };
  const ramet = (...args: readonly string[]): Promise<string> =>
    run({ file: bench.launcher, args: [...args, "--json"], ...where });
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
  const git = (...args: readonly string[]): Promise<string> =>
    run({ file: "git", args: [...identity, ...args], ...where });
  await ramet("env", "use", "review");
  const { files } = environmentSchema.parse(JSON.parse(await ramet("env", "show")));
  return { bench, stage, clone, kept: files.path, ramet, git };
}

/** `ramet dev` in the clone, until `stop`; resolves once an edit has come across. */
export async function startDev(pairing: Pairing): Promise<{ stop(): Promise<void> }> {
  const { bench, clone, stage } = pairing;
  const launch = { folder: clone, environment: stage.environment };
  const dev = await serve({ file: bench.launcher, args: ["dev"], ...launch }, "SIGTERM");
  await writeFile(path.join(clone, "first.txt"), "first");
  await untilSame(pairing, ["first.txt"]);
  return dev;
}

export class NotAcross extends Error {}

/**
 * Waits until the environment has these files as the clone has them: read without a pause, as a reload would be. Of many the first
 * that is not there is waited for, and not all of them read again and again: that takes a processor of the two away from the work.
 */
export async function untilSame(
  { clone, kept, bench }: Pairing,
  names: readonly string[],
  limitMs = LIMIT_MS,
): Promise<void> {
  const wanted = new Map(names.map((name) => [name, readIfThere(path.join(clone, name))]));
  const end = performance.now() + limitMs;
  const pauseMs = wanted.size > FOLDER_FILES ? POLL_MS : 0;
  for (const [name, text] of wanted)
    while (readIfThere(path.join(kept, name)) !== text) {
      if (performance.now() > end) throw new NotAcross(`${name} has not come across.`);
      await sleep(pauseMs, bench.signal);
    }
}

/** So many files of source-like text, fifty in a folder; resolves with their names. */
export async function writeFiles(
  root: string,
  { count, bytes, mark }: { readonly count: number; readonly bytes: number; readonly mark: string },
): Promise<readonly string[]> {
  const body = LINE.repeat(Math.ceil(bytes / LINE.length)).slice(0, bytes);
  const names = Array.from(
    { length: count },
    (_, index) => `folder-${Math.trunc(index / FOLDER_FILES)}/file-${index}.ts`,
  );
  for (const name of names) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `// ${mark} ${name}\n${body}`);
  }
  return names;
}

/** A folder that is not there, and goes with `undo`. */
export async function emptyFolder(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It is not there yet, or no longer.
    return undefined;
  }
}
