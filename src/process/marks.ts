import { waitFor } from "../base/clock.ts";
import {
  IS_LINUX,
  askSystem,
  eachOf,
  hasEnvironment,
  listPids,
  readProc,
} from "./process-table.ts";

export type Marked = { readonly pid: number; readonly mark: string };

/** It takes some 50 µs as a rule, and as long as the scheduler lets it wait on a busy machine. */
const BECOMING_LIMIT_MS = 250;

/** Processes in whose first environment the variable stands, ourselves left out. */
export async function listMarked(variable: string): Promise<readonly Marked[]> {
  const marked = IS_LINUX ? await listMarkedByProc(variable) : await listMarkedByPs(variable);
  return marked.filter(({ pid }) => pid !== process.pid);
}

/** Whether this one process bears exactly this mark; a look at it alone, where `listMarked` looks at all. */
export async function bearsMark(pid: number, variable: string, mark: string): Promise<boolean> {
  if (IS_LINUX) return findValue(await readSettledEnvironment(pid), variable) === mark;
  const answer = await askSystem("ps", ["-Ewwo", "pid=,command=", "-p", String(pid)]);
  return parseMarkedByPs(answer, variable).some((one) => one.pid === pid && one.mark === mark);
}

async function listMarkedByProc(variable: string): Promise<readonly Marked[]> {
  const seen = await eachOf(listPids(), (pid) => ({ pid, environment: readEnvironment(pid) }));
  const marked = await Promise.all(
    seen.map(async ({ pid, environment }) => {
      const mark = findValue(environment ?? (await readSettledEnvironment(pid)), variable);
      return mark === undefined ? [] : [{ pid, mark }];
    }),
  );
  return marked.flat();
}

async function listMarkedByPs(variable: string): Promise<readonly Marked[]> {
  return parseMarkedByPs(await askSystem("ps", ["-axEwwo", "pid=,command="]), variable);
}

/** `ps -E` prints the environment behind the command, separated by spaces; a mark has none. */
export function parseMarkedByPs(text: string, variable: string): readonly Marked[] {
  return text.split("\n").flatMap((line) => {
    const at = line.lastIndexOf(` ${variable}=`);
    const mark = at < 0 ? undefined : line.slice(at + variable.length + 2).split(" ", 1)[0];
    return mark === undefined ? [] : [{ pid: Number.parseInt(line, 10), mark }];
  });
}

function findValue(environment: string, variable: string): string | undefined {
  const start = `${variable}=`;
  const at = environment.startsWith(start) ? 0 : environment.indexOf(`\0${start}`) + 1;
  if (at === 0 && !environment.startsWith(start)) return undefined;
  return environment.slice(at + start.length).split("\0", 1)[0];
}

/** undefined: it has one, or is about to, but not at this moment, in which it becomes another program. */
function readEnvironment(pid: number): string | undefined {
  const file = `/proc/${pid}/environ`;
  const environment = readProc(file);
  if (environment !== "" || !hasEnvironment(pid)) return environment;
  return readProc(file) || undefined;
}

async function readSettledEnvironment(pid: number): Promise<string> {
  const options = { timeoutMs: BECOMING_LIMIT_MS, everyMs: 1 };
  return (await waitFor(() => readEnvironment(pid), options)) ?? "";
}
