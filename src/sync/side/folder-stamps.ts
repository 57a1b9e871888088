import { forEachParallel } from "../../base/for-each-parallel.ts";
import { splitPath } from "../core/paths.ts";
import type { Bulk, StampedFolder } from "../disk/disk.ts";
import { THREADS } from "../disk/file-threads.ts";
import { mayBePart, stampFolder } from "../disk/folder-stamp.ts";
import { joinPath, type Listing, nameIn, repositoryName } from "./listed-names.ts";

/** A folder of which everything was known when it was stamped. */
export type Stamped = StampedFolder & {
  /** What the rules were asked about it. */
  readonly asked: readonly string[];
  /** The folders in it that are part of the tree. */
  readonly inner: readonly string[];
};

type Known = {
  readonly isIgnored: (name: string) => boolean;
  /** null: what stands there is to be read again. */
  readonly versionOf: (path: string) => string | null;
};

/** Looks of a thread at a time, at least. */
const SLICE = 500;

/**
 * Stamps of folders as they are known, so that a look at everything can be left to threads where nothing has changed: of a
 * folder without a change one word crosses to the thread and back, whatever it holds.
 */
export class FolderStamps {
  readonly #stamps = new Map<string, Stamped>();

  /** None where something in it is to be read again whatever is seen. */
  note({ folder, all }: Listing, { isIgnored, versionOf }: Known): void {
    const parts = all.filter(({ name }) => mayBePart(name));
    const left = new Set(
      parts.filter((one) => isIgnored(nameIn(folder, one))).map(({ name }) => name),
    );
    let isSure = true;
    const stamp = stampFolder(all, (name) => {
      if (left.has(name)) return null;
      const version = versionOf(joinPath(folder, name));
      isSure &&= version !== null;
      return version;
    });
    if (!isSure) return void this.#stamps.delete(folder);
    const inner = parts.filter(({ name, kind }) => kind === "folder" && !left.has(name));
    this.#stamps.set(folder, {
      path: folder,
      stamp,
      left: [...left],
      asked: [...parts.map((one) => nameIn(folder, one)), ...repositoryName({ folder, all })],
      inner: inner.map(({ name }) => joinPath(folder, name)),
    });
  }

  /** What is known of something is no longer what was stamped: of a file's folder, or of a folder and the one above it. */
  forget(path: string): void {
    this.drop(path);
    this.drop(splitPath(path).parent);
  }

  /** The same of what a folder holds. */
  drop(folder: string): void {
    this.#stamps.delete(folder);
  }

  /** Those folders that are as they were, by path: none where there are too few to ask threads. */
  async findSame(
    bulk: Bulk | undefined,
    onFolder: (folder: string) => void,
  ): Promise<Map<string, Stamped>> {
    const same = new Map<string, Stamped>();
    const stamps = [...this.#stamps.values()];
    const looks = stamps.reduce((sum, stamped) => sum + looksOf(stamped), 0);
    if (bulk === undefined || looks < bulk.many) return same;
    for (const { path } of stamps) onFolder(path);
    await forEachParallel(sliceStamps(stamps, looks), THREADS + 1, async (slice) => {
      const found = await bulk.survey(
        slice.map(({ path, stamp, left }) => ({ path, stamp, left })),
      );
      for (const index of found) {
        const stamped = slice[index];
        if (stamped !== undefined) same.set(stamped.path, stamped);
      }
    });
    return same;
  }
}

/** Whether the rules say the same of what is in a folder as when it was stamped. */
export function isIgnoredAsBefore(
  { path, left, asked }: Stamped,
  ignored: ReadonlySet<string>,
): boolean {
  const count = asked.filter((name) => ignored.has(name)).length;
  const isStillLeft = (name: string): boolean =>
    ignored.has(joinPath(path, name)) || ignored.has(`${joinPath(path, name)}/`);
  return count === left.length && left.every(isStillLeft);
}

/** Whether they are all that a tree consists of: its own folder, and each that is in one of them. */
export function areAll(stamped: ReadonlyMap<string, Stamped>): boolean {
  const isThere = (folder: string): boolean => stamped.has(folder);
  return isThere("") && [...stamped.values()].every(({ inner }) => inner.every(isThere));
}

/**
 * Of neighbours, which share the folders above them: large ones first, so that hardly anything crosses, and no thread has
 * nothing to do while git's start holds up whoever hands them out; small ones last, so that all threads end together.
 */
function sliceStamps(stamps: readonly Stamped[], looks: number): readonly (readonly Stamped[])[] {
  const slices: Stamped[][] = [];
  let [left, open] = [looks, 0];
  for (const stamped of stamps) {
    if (open <= 0) {
      slices.push([]);
      open = Math.max(SLICE, left / (2 * THREADS));
    }
    slices.at(-1)?.push(stamped);
    open -= looksOf(stamped);
    left -= looksOf(stamped);
  }
  return slices;
}

function looksOf({ asked }: Stamped): number {
  return asked.length + 1;
}
