import path from "node:path";

import type {
  EnvironmentId,
  EnvironmentRecord,
  FilesRecord,
} from "../../environment/environment.ts";
import { findOwner } from "../../files/files.ts";
import type { Owner, SpareUse } from "../../files/files.ts";
import type { Layout } from "../home/layout.ts";
import { findSpareBase } from "../home/spare-file.ts";
import type { SpareRecord } from "../home/spare-file.ts";

/** Whom a spare copy is made for; `isReserved`: an environment that is to have this uid. */
export type Heir = Pick<SpareRecord, "owner" | "isReserved">;

/** How an environment was forked last. */
type Habit = {
  /** Where what is to be moved into the fork's tree has to lie; undefined: there is no such place. */
  readonly base: string | undefined;
  /** Whose folder the fork ran on; undefined: it kept a tree of its own. */
  readonly owner: Owner | null | undefined;
};

/** For whom spare copies are made, and where: the next fork of a source is likely to be like its last. */
export class Heirs {
  readonly #layout: Layout;
  readonly #uidOfNext: (source: EnvironmentId) => number | null;
  readonly #habits = new Map<EnvironmentId, Habit>();

  /** `uidOfNext`: which the next fork of a source will have that keeps its files. */
  constructor(layout: Layout, uidOfNext: (source: EnvironmentId) => number | null) {
    this.#layout = layout;
    this.#uidOfNext = uidOfNext;
  }

  /** Resolves with where a spare copy for this use has to lie. */
  async note(
    source: EnvironmentId,
    kind: FilesRecord["kind"],
    { target, name, user }: SpareUse,
  ): Promise<string | undefined> {
    const base = await findSpareBase(this.#layout, path.dirname(path.join(target, name)));
    this.#habits.set(source, { base, owner: kind === "kept" ? undefined : findOwner(user) });
    return base;
  }

  /** Where one has to lie to be moved to a tree that we keep. */
  async findBaseOfKept(): Promise<string | undefined> {
    return findSpareBase(this.#layout, this.#layout.data);
  }

  /** No copy can ever be moved to where its forks are. */
  giveUp(source: EnvironmentId): void {
    this.#habits.set(source, { base: undefined, owner: undefined });
  }

  forget(source: EnvironmentId): void {
    this.#habits.delete(source);
  }

  /** Where a spare copy has to lie to be moved to the next fork; undefined: there is no such place. */
  async findBase({ id, files }: EnvironmentRecord): Promise<string | undefined> {
    const habit = this.#habits.get(id);
    return habit === undefined ? findSpareBase(this.#layout, files.path) : habit.base;
  }

  /** Whoever asks is to hold the uid that is chosen, before anyone else chooses one. */
  choose(source: EnvironmentId): Heir {
    const owner = this.#habits.get(source)?.owner;
    if (owner !== undefined) return { owner, isReserved: false };
    const uid = this.#uidOfNext(source);
    return { owner: uid === null ? null : { uid, gid: uid }, isReserved: uid !== null };
  }
}
