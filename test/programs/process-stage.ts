// For tests of the room process: a folder and a mark for each test, programs that bear it, and an end that leaves none of them.
import { once } from "node:events";
import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach } from "vitest";

import * as door from "../../src/process/process.ts";

export const NODE = process.execPath;
export const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
export const VARIABLE = "RAMET_TEST_MARK";
export const IS_ROOT = process.getuid?.() === 0;
/** Nobody's. */
export const STRANGER = { uid: 54_321, gid: 54_322 };
/** For what takes milliseconds on an idle machine. */
export const LIMIT_MS = 20_000;

const PROGRAMS = import.meta.dirname;

export type Stage = {
  readonly folder: () => string;
  readonly mark: () => string;
  readonly launch: (file: string, ...args: readonly string[]) => door.Launch;
  /** One of the hostile programs. */
  readonly fixture: (name: string) => door.Launch;
  readonly run: (launch: door.Launch) => Promise<door.ProgramResult>;
  /** Starts it, and waits for the first that it prints. */
  readonly startAndHear: (
    launch: door.Launch,
  ) => Promise<{ program: door.PipedProgram; line: string }>;
};

/** One that is new for each test. */
export function useStage(): Stage {
  let current = "";
  const folder = (): string => current;
  const mark = (): string => `test.${path.basename(current)}`;
  beforeEach(async () => {
    current = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-process-")));
    // Programs of other users pass through it.
    await chmod(current, 0o711);
  });
  afterEach(async () => {
    await door.endMarked(VARIABLE, mark(), { graceMs: 0 });
    await rm(current, { recursive: true });
  });
  const launch: Stage["launch"] = (file, ...args) => {
    const environment = { PATH, [VARIABLE]: mark() };
    return { file, args, folder: current, environment, user: null };
  };
  return { folder, mark, launch, fixture: (name) => toFixture(name, launch), run, startAndHear };
}

function toFixture(name: string, launch: Stage["launch"]): door.Launch {
  const file = path.join(PROGRAMS, name);
  return name.endsWith(".sh") ? launch("/bin/sh", file) : launch(NODE, file);
}

async function run(launch: door.Launch): Promise<door.ProgramResult> {
  return door.runProgram(launch, { timeoutMs: LIMIT_MS });
}

async function startAndHear(
  launch: door.Launch,
): Promise<{ program: door.PipedProgram; line: string }> {
  const program = await door.startPiped(launch);
  const heard: unknown[] = await once(program.stdout, "data");
  return { program, line: String(heard[0]).trim() };
}
