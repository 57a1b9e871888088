import { type Disk, inTree, type Range } from "../disk/disk.ts";

/** A file of this machine, as far as one stands there: of none nothing is read. */
export type Standing = {
  size(): number;
  /** Each part until the next is asked for. @param range else all of it */
  read(range?: Range): Iterable<Uint8Array>;
};

export function standingAt(disk: Disk, path: string): Standing {
  return {
    size: () => disk.see(inTree(path))?.size ?? 0,
    read: (range) => disk.read(inTree(path), range),
  };
}
