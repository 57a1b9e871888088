import { readFile } from "node:fs/promises";

/** In kB. */
export type Memory = { readonly rss: number; readonly pss: number };

/** As Linux counts it: pages shared with others belong to RSS in full, to PSS in parts. */
export async function readMemory(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const read = (field: string): number => {
    const found = new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(text)?.[1];
    if (found === undefined) throw new Error(`The memory of ${pid} has no ${field}.`);
    return Number(found);
  };
  return { rss: read("Rss"), pss: read("Pss") };
}

/** Of several processes together. */
export async function sumMemory(pids: readonly number[]): Promise<Memory> {
  const each = await Promise.all(pids.map(readMemory));
  const sum = (kind: keyof Memory): number => each.reduce((all, one) => all + one[kind], 0);
  return { rss: sum("rss"), pss: sum("pss") };
}
