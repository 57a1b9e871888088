import { homedir } from "node:os";

import { type ProcessUser, type ProgramResult, runProgram } from "../process/process.ts";

/** Where the system's own programs are; what the caller's shell would find first is of no concern here. */
const SEARCH_PATH = [
  "/usr/bin",
  "/bin",
  "/usr/sbin",
  "/sbin",
  "/usr/local/bin",
  "/opt/homebrew/bin",
  "/opt/local/bin",
  "/run/current-system/sw/bin",
].join(":");
const TIMEOUT_MS = 10 * 60_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

export type ToolOptions = {
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: ProcessUser | null;
  readonly input?: string;
};

/** Runs one of the system's programs, its messages in English. */
export async function runTool(
  file: string,
  args: readonly string[],
  { folder, environment, user = null, input }: ToolOptions,
): Promise<ProgramResult> {
  const surroundings = { PATH: SEARCH_PATH, LC_ALL: "C", HOME: user === null ? homedir() : "/" };
  return runProgram(
    { file, args, folder, environment: { ...surroundings, ...environment }, user },
    {
      timeoutMs: TIMEOUT_MS,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      ...(input === undefined ? {} : { input }),
    },
  );
}

/** As it was printed, with NUL after each entry. */
export type NulText = {
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly text: string;
};
export type NulList = Omit<NulText, "text"> & { readonly entries: readonly string[] };

/** Runs a program that prints a list with NUL after each entry. @throws Error when a part of the list was lost */
export async function runListing(
  file: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<NulList> {
  const { text, ...others } = await runUncut(file, args, options);
  return { ...others, entries: splitNul(text) };
}

/** The same, not taken apart. */
export async function runUncut(
  file: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<NulText> {
  const { exitCode, stdout, stderr, isWhole } = await runTool(file, args, options);
  const isCut = !isWhole || !(stdout === "" || stdout.endsWith("\0"));
  if (exitCode === 0 && isCut)
    throw new Error(`The list that ${file} printed did not arrive whole.`);
  return { exitCode, stderr, text: stdout };
}

export function splitNul(text: string): readonly string[] {
  return text.split("\0").slice(0, -1);
}
