import { runTool } from "./tools.ts";

/**
 * A file's extents as `filefrag -v` lists them: number, blocks in the file, blocks on the disk (0
 * while they have no place yet), flags.
 */
const EXTENT = /^ *\d+: +(\d+)\.\. *(\d+): +\d+\.\. *\d+: +\d+:(.*)$/;
const HEAD = /^File size of .* blocks? of (\d+) bytes\)$/;
const UNTOLD = /filefrag.*No such file|FIEMAP unsupported/;

/** Undefined where nothing here can tell: `filefrag` is missing, or the file system does not answer it. */
export async function findUnshared(folder: string): Promise<number | undefined> {
  const args = ["-P", ".", "-type", "f", "-size", "+0", "-exec", "filefrag", "-v", "{}", "+"];
  const { stdout, stderr } = await runTool("find", args, { folder });
  return UNTOLD.test(stderr) ? undefined : sumUnshared(stdout);
}

/** The bytes of all extents that no other file shares. */
export function sumUnshared(listing: string): number {
  let [blockBytes, sum] = [0, 0];
  for (const line of listing.split("\n")) {
    blockBytes = Number(HEAD.exec(line)?.[1] ?? blockBytes);
    const [, first, last, flags = "shared"] = EXTENT.exec(line) ?? [];
    if (!/\bshared\b/.test(flags)) sum += (Number(last) - Number(first) + 1) * blockBytes;
  }
  return sum;
}

/** What the files take up, as if none shared a block, subvolumes included. Those that vanish meanwhile are not missed. */
export async function sumAllocated(folder: string): Promise<number> {
  const { stdout, stderr } = await runTool("du", ["-sk", "."], { folder });
  const kilobytes = /^(\d+)\s/.exec(stdout)?.[1];
  if (kilobytes === undefined) throw new Error(`du: ${stderr.trim()}`);
  return Number(kilobytes) * 1024;
}
