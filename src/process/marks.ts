import { open } from "node:fs/promises";

import { IS_LINUX, askSystem, eachOf, isGone, listPids } from "./process-table.ts";

export type Marked = { readonly pid: number; readonly mark: string };

/** Of one process's environment; the kernel allows 6 MiB at most. */
const MAX_ENVIRONMENT_BYTES = 6 * 1024 * 1024;
const FIRST_READ_BYTES = 16 * 1024;

/** Processes in whose first environment the variable stands, ourselves left out. */
export async function listMarked(variable: string): Promise<readonly Marked[]> {
  const marked = IS_LINUX ? await listMarkedByProc(variable) : await listMarkedByPs(variable);
  return marked.filter(({ pid }) => pid !== process.pid);
}

/** Whether this one process bears exactly this mark; a look at it alone, where `listMarked` looks at all. */
export async function bearsMark(pid: number, variable: string, mark: string): Promise<boolean> {
  if (IS_LINUX) return findValue(await readEnvironment(pid), variable) === mark;
  const answer = await askSystem("ps", ["-Ewwo", "pid=,command=", "-p", String(pid)]);
  return parseMarkedByPs(answer, variable).some((one) => one.pid === pid && one.mark === mark);
}

async function listMarkedByProc(variable: string): Promise<readonly Marked[]> {
  const found = await eachOf(await listPids(), async (pid) => {
    const mark = findValue(await readEnvironment(pid), variable);
    return mark === undefined ? [] : [{ pid, mark }];
  });
  return found.flat();
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

/** Empty when the process is gone, a zombie, or not ours to see. */
async function readEnvironment(pid: number): Promise<string> {
  try {
    const handle = await open(`/proc/${pid}/environ`, "r");
    try {
      return await readAll((buffer) => handle.read(buffer, 0, buffer.length));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}

async function readAll(read: (buffer: Buffer) => Promise<{ bytesRead: number }>): Promise<string> {
  const parts: string[] = [];
  for (let size = 0; size < MAX_ENVIRONMENT_BYTES;) {
    const buffer = Buffer.allocUnsafe(FIRST_READ_BYTES);
    const { bytesRead } = await read(buffer);
    if (bytesRead === 0) break;
    parts.push(buffer.toString("latin1", 0, bytesRead));
    size += bytesRead;
  }
  return parts.join("");
}
