import path from "node:path";

import { hasErrorCode, messageOf } from "../../base/problem.ts";
import { traced } from "../../base/trace.ts";
import type { EnvironmentId, FilesRecord } from "../../environment/environment.ts";
import { moveSpare, renewSpare } from "../../files/files.ts";
import type { PlaceReady, SpareUse } from "../../files/files.ts";
import { useUpSpare } from "../home/spare-file.ts";
import type { SpareRecord } from "../home/spare-file.ts";
import type { Heirs } from "./heirs.ts";

export type Spare = { readonly folder: string; readonly record: SpareRecord };

/** Who holds the spare copies of a fork's source. */
export type SpareStore = {
  readonly source: EnvironmentId;
  readonly heirs: Heirs;
  /** Those that lie there wait for nobody else from now on. */
  takeAll(isWanted: (spare: Spare) => boolean): readonly Spare[];
  /** It was used up, wherever its tree is. */
  remove(folder: string): void;
  readonly log: (text: string) => void;
};

/** A tree that is being made. */
export type SpareTaker = Omit<SpareUse, "name"> & {
  readonly kind: FilesRecord["kind"];
  /** The manifest's `files.clone`. */
  readonly clone: readonly string[];
};

type Begun = Spare & { readonly renewed: Promise<boolean> };

/** What waits for one fork. */
export class SpareOffer {
  readonly #store: SpareStore;
  readonly #begun: Begun[] = [];
  #beginning: Promise<void> = Promise.resolve();

  constructor(store: SpareStore) {
    this.#store = store;
  }

  /**
   * What a tree of its own is certain to take is brought up to date from now on, beside all else that is made. Whatever
   * is returned puts the copy of one entry in its place.
   */
  begin({ kind, clone, ...tree }: SpareTaker): PlaceReady {
    if (kind === "kept") {
      this.#beginning = this.#beginNamed(clone, tree);
      this.#beginning.catch(() => {
        // Whoever places one is told.
      });
    }
    return async (use) => this.#place(kind, use);
  }

  /** What was used up goes, and what was begun and never placed. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#beginning]);
    await Promise.allSettled(this.#begun.map(async ({ renewed }) => renewed));
    for (const { folder } of this.#begun) this.#store.remove(folder);
    this.#begun.length = 0;
  }

  async #beginNamed(clone: readonly string[], tree: Omit<SpareUse, "name">): Promise<void> {
    const base = await this.#store.heirs.findBaseOfKept();
    const isNamed = ({ folder, record: { name } }: Spare): boolean =>
      path.dirname(folder) === base &&
      clone.some((one) => one === name || (!one.includes("/") && name.endsWith(`/${one}`)));
    for (const spare of this.#store.takeAll(isNamed)) this.#begin(spare, tree);
  }

  async #place(kind: FilesRecord["kind"], use: SpareUse): Promise<boolean> {
    await this.#beginning;
    const { source, heirs } = this.#store;
    const base = await heirs.note(source, kind, use);
    const isWanted = ({ folder, record }: Spare): boolean =>
      record.name === use.name && path.dirname(folder) === base;
    if (!this.#begun.some(isWanted))
      for (const spare of this.#store.takeAll(isWanted).slice(0, 1)) this.#begin(spare, use);
    const begun = this.#begun.find(isWanted);
    return begun !== undefined && (await this.#finish(begun, use));
  }

  #begin(spare: Spare, tree: Omit<SpareUse, "name">): void {
    const renew = async (): Promise<boolean> => {
      await useUpSpare(spare.folder);
      const made = { folder: spare.folder, owner: spare.record.owner };
      return renewSpare(made, { ...tree, name: spare.record.name });
    };
    const renewed = traced("look at what is kept ready", renew).catch((error: unknown) =>
      this.#isOfNoUse(error),
    );
    this.#begun.push({ ...spare, renewed });
  }

  async #finish({ folder, renewed }: Begun, use: SpareUse): Promise<boolean> {
    try {
      if (!(await renewed)) return false;
      await moveSpare(folder, use);
      return true;
    } catch (error) {
      // Another mount of the same file system: no copy could ever be moved there.
      if (hasErrorCode(error, "EXDEV")) this.#store.heirs.giveUp(this.#store.source);
      return this.#isOfNoUse(error);
    }
  }

  #isOfNoUse(error: unknown): false {
    const { source, log } = this.#store;
    log(`${source}: a spare copy was of no use: ${messageOf(error)}`);
    return false;
  }
}
