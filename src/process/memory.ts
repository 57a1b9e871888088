import { IS_LINUX, askSystem, readProc } from "./process-table.ts";

/** Of a process that `ps` knows the whole is counted: it cannot tell what is shared. */
export async function sumMemory(pids: readonly number[]): Promise<number> {
  if (pids.length === 0) return 0;
  const kilobytes = IS_LINUX
    ? pids.map((pid) => parseShare(readProc(`/proc/${pid}/smaps_rollup`)))
    : (await askSystem("ps", ["-o", "rss=", "-p", pids.join(",")])).split("\n").map(Number);
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}

function parseShare(rollup: string): number {
  return Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1] ?? 0);
}
