import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import os from "node:os";

import { hasErrorCode } from "../base/problem.ts";
import { isGone, readProc } from "./process-table.ts";

const LEAST_PRIORITY = 19;

/**
 * From now on these take what processor time nobody else wants, whatever they start too. There is no way back for who is
 * not root. On Linux each thread has a priority of its own; elsewhere the process has one.
 */
export function yieldProcessor(pids: readonly number[]): void {
  for (const pid of pids) {
    for (const task of listTasks(pid)) setLeast(task);
    letSessionYield(pid);
  }
}

/** Where the kernel weighs whole sessions against each other (autogroup), a priority counts within its own alone. */
function letSessionYield(pid: number): void {
  const file = `/proc/${pid}/autogroup`;
  const said = readProc(file).trim();
  if (said === "" || said.endsWith(` ${LEAST_PRIORITY}`)) return;
  try {
    const fd = openSync(file, "w");
    try {
      writeSync(fd, String(LEAST_PRIORITY));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // Of who is not root the kernel takes some ten a second: the next look tells it again.
    if (!isGone(error) && !hasErrorCode(error, "EAGAIN")) throw error;
  }
}

function listTasks(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch (error) {
    // It has gone, or there is no /proc.
    if (isGone(error)) return process.platform === "linux" ? [] : [pid];
    throw error;
  }
}

/** One that has gone meanwhile, or is not ours to change, is left. */
function setLeast(task: number): void {
  try {
    os.setPriority(task, LEAST_PRIORITY);
  } catch (error) {
    const isOurs = !(error instanceof Error && /ESRCH|EACCES|EPERM/.test(error.message));
    if (isOurs) throw error;
  }
}
