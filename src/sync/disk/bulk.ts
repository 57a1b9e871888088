import { hasErrorCode, Problem } from "../../base/problem.ts";
import { splitPath } from "../core/paths.ts";
import type { Bulk, FileNames } from "./disk.ts";
import type { FileMove } from "./file-jobs.ts";
import {
  copyAheadInThread,
  copyInThread,
  examineInThread,
  keepInThread,
  placeInThread,
  surveyInThread,
} from "./file-threads.ts";
import { isUpwards, type Lent, type PinnedFolders } from "./pinned-folders.ts";
import type { Owner } from "./plain-file.ts";

/** A thread is asked and answers in the time of some ten system calls. */
const FEW = 16;
/** A millisecond of looks. */
const MANY = 256;
/** Nothing is in it: what is looked for there is not found. */
const NOWHERE = "/dev/null";

type BulkOptions = {
  readonly folders: { readonly tree: PinnedFolders; readonly store: PinnedFolders };
  /** The tree's real path. */
  readonly root: string;
  /** From the base of the store's folders. */
  readonly storePath: string;
  readonly findExact: () => bigint | null;
};

/** What a disk of this machine does with many files at once, in threads. */
export class ThreadBulk implements Bulk {
  readonly few = FEW;
  readonly many = MANY;
  readonly #options: BulkOptions;

  constructor(options: BulkOptions) {
    this.#options = options;
  }

  examine(files: Parameters<Bulk["examine"]>[0]): ReturnType<Bulk["examine"]> {
    const paths = files.map(({ path }) => path);
    const versions = files.map(({ version }) => version);
    return this.lend(paths, async (names) =>
      examineInThread(names, versions, this.#options.findExact()),
    );
  }

  survey(folders: Parameters<Bulk["survey"]>[0]): ReturnType<Bulk["survey"]> {
    return surveyInThread(this.#options.root, folders);
  }

  lend<T>(paths: readonly string[], work: (files: FileNames) => Promise<T>): Promise<T> {
    return withLent(this.#options.folders.tree, { ways: paths, makes: false }, work);
  }

  copy(copies: Parameters<Bulk["copy"]>[0]): ReturnType<Bulk["copy"]> {
    return this.#copyTo(copies, copyInThread);
  }

  copyAhead(copies: Parameters<Bulk["copyAhead"]>[0]): ReturnType<Bulk["copyAhead"]> {
    return this.#copyTo(copies, async (all) => copyAheadInThread(all, this.#options.findExact()));
  }

  place(moves: Parameters<Bulk["place"]>[0]): ReturnType<Bulk["place"]> {
    return this.#move(
      moves.map((move) => ({ ...move, version: null })),
      true,
    );
  }

  exchange(moves: Parameters<Bulk["exchange"]>[0]): ReturnType<Bulk["exchange"]> {
    return this.#move(moves, false);
  }

  keep(moves: Parameters<Bulk["keep"]>[0]): ReturnType<Bulk["keep"]> {
    const ways = (name: "from" | "to"): readonly string[] => moves.map((move) => move[name]);
    return this.#withStored(ways("from"), async (from) =>
      this.#withStored(ways("to"), async (to) =>
        keepInThread(
          moves.map((move, index) => ({
            ...move,
            from: from[index] ?? NOWHERE,
            to: to[index] ?? NOWHERE,
          })),
        ),
      ),
    );
  }

  #copyTo<Copy extends { readonly to: string }, Done>(
    copies: readonly Copy[],
    work: (copies: readonly (Copy & { readonly owner: Owner | null })[]) => Promise<Done>,
  ): Promise<Done> {
    const { owner } = this.#options.folders.tree;
    return this.#withStored(
      copies.map(({ to }) => to),
      async (files) =>
        work(copies.map((copy, index) => ({ ...copy, to: files[index] ?? NOWHERE, owner }))),
    );
  }

  /** @param makes the folders of the tree that are missing */
  #move(moves: readonly FileMove[], makes: boolean): ReturnType<Bulk["place"]> {
    const { folders, findExact } = this.#options;
    const ways = moves.map(({ to }) => to);
    return this.#withStored(
      moves.map(({ from }) => from),
      async (stored) =>
        withLent(folders.tree, { ways, makes }, async (files) =>
          placeInThread(
            moves.map(({ version }, index) => ({
              from: stored[index] ?? NOWHERE,
              to: files[index] ?? NOWHERE,
              version,
            })),
            findExact(),
          ),
        ),
    );
  }

  #withStored<T>(paths: readonly string[], work: (files: FileNames) => Promise<T>): Promise<T> {
    const { folders, storePath } = this.#options;
    const ways = paths.map((path) => `${storePath}/${path}`);
    return withLent(folders.store, { ways, makes: true }, work);
  }
}

type Wanted = { readonly ways: readonly string[]; readonly makes: boolean };

/** Each folder once, however many of its files are wanted. */
async function withLent<T>(
  folders: PinnedFolders,
  { ways, makes }: Wanted,
  work: (files: FileNames) => Promise<T>,
): Promise<T> {
  const lent = new Map<string, Lent | undefined>();
  try {
    const files = ways.map((way) => {
      const { parent, name } = splitPath(way);
      if (!lent.has(parent)) lent.set(parent, lendIfThere(folders, parent, makes));
      const folder = isUpwards(name) ? undefined : lent.get(parent)?.path;
      return `${folder ?? NOWHERE}/${name}`;
    });
    return await work(files);
  } finally {
    for (const folder of lent.values()) folder?.giveBack();
  }
}

/** None where a file or a link is on the way, or no more folders can be open: whoever tries it in turn is told. */
function lendIfThere(folders: PinnedFolders, way: string, makes: boolean): Lent | undefined {
  try {
    return folders.lend(way, makes);
  } catch (error) {
    if (error instanceof Problem || hasErrorCode(error, "EMFILE")) return undefined;
    throw error;
  }
}
