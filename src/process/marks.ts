import { IS_LINUX, askSystem, eachOf, listPids, readProc } from "./process-table.ts";

export type Marked = { readonly pid: number; readonly mark: string };

/** Processes in whose first environment the variable stands, ourselves left out. */
export async function listMarked(variable: string): Promise<readonly Marked[]> {
  const marked = IS_LINUX ? await listMarkedByProc(variable) : await listMarkedByPs(variable);
  return marked.filter(({ pid }) => pid !== process.pid);
}

/** Whether this one process bears exactly this mark; a look at it alone, where `listMarked` looks at all. */
export async function bearsMark(pid: number, variable: string, mark: string): Promise<boolean> {
  if (IS_LINUX) return findValue(readEnvironment(pid), variable) === mark;
  const answer = await askSystem("ps", ["-Ewwo", "pid=,command=", "-p", String(pid)]);
  return parseMarkedByPs(answer, variable).some((one) => one.pid === pid && one.mark === mark);
}

async function listMarkedByProc(variable: string): Promise<readonly Marked[]> {
  const found = await eachOf(listPids(), (pid) => {
    const mark = findValue(readEnvironment(pid), variable);
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

function readEnvironment(pid: number): string {
  return readProc(`/proc/${pid}/environ`);
}
