import { splitPath } from "./core/paths.ts";
import type { Bulk, FileNames } from "./disk.ts";
import { copyInThread, hashInThread } from "./file-threads.ts";
import type { Lent, PinnedFolders } from "./pinned-folders.ts";

/** A thread is asked and answers in the time of some ten system calls. */
const FEW = 16;
/** Nothing is in it: what is looked for there is not found. */
const NOWHERE = "/dev/null";

/** What a disk of this machine does with many files at once, in threads. */
export class ThreadBulk implements Bulk {
  readonly few = FEW;
  readonly #tree: PinnedFolders;
  readonly #store: PinnedFolders;
  readonly #storePath: string;

  constructor(
    { tree, store }: { readonly tree: PinnedFolders; readonly store: PinnedFolders },
    storePath: string,
  ) {
    this.#tree = tree;
    this.#store = store;
    this.#storePath = storePath;
  }

  hash(paths: readonly string[]): ReturnType<Bulk["hash"]> {
    return this.lend(paths, hashInThread);
  }

  lend<T>(paths: readonly string[], work: (files: FileNames) => Promise<T>): Promise<T> {
    return withLent(this.#tree, { ways: paths, makes: false }, work);
  }

  copy(copies: Parameters<Bulk["copy"]>[0]): ReturnType<Bulk["copy"]> {
    const ways = copies.map(({ to }) => `${this.#storePath}/${to}`);
    const { owner } = this.#tree;
    return withLent(this.#store, { ways, makes: true }, async (files) =>
      copyInThread(
        copies.map(({ from, executable }, index) => ({
          from,
          to: files[index] ?? "",
          executable,
          owner,
        })),
      ),
    );
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
      if (!lent.has(parent)) lent.set(parent, folders.lend(parent, makes));
      return `${lent.get(parent)?.path ?? NOWHERE}/${name}`;
    });
    return await work(files);
  } finally {
    for (const folder of lent.values()) folder?.giveBack();
  }
}
