import type { Problem } from "../../base/problem.ts";
import type { Plan } from "../core/plan.ts";
import type { Entry } from "../core/tree.ts";
import type { Bulk } from "../disk/disk.ts";
import type { Standing } from "./standing.ts";

/** Paths, and what stands there now; undefined: nothing any more. */
export type Changes = ReadonlyMap<string, Entry | undefined>;

export type LookOptions = {
  /** `hinted`: only where something is known to have happened. */
  readonly scope: "all" | "hinted";
  /** Of these names, those that the workspace's rules leave out; a folder's has a slash at its end. */
  readonly findIgnored: (names: readonly string[]) => Promise<ReadonlySet<string>>;
  /**
   * Stands for what they leave out: while it is the same, of the same names the same are. undefined: names were asked about
   * for which it does not. Absent: nothing does.
   */
  readonly identifyRules?: (() => Promise<string | undefined>) | undefined;
};

export type Look = {
  /** Since it was last asked. */
  readonly changes: Changes;
  /** Where nothing could be found out this time, and why; a folder's path stands for all below it. */
  readonly unknown: ReadonlyMap<string, Problem>;
  /** Whether something may have happened anywhere: only a look at all of it can tell. */
  readonly isPartial: boolean;
};

/** The bytes of a side's files. */
export type Contents = {
  /**
   * Part by part, each to be used before the next is asked for. What comes may be something else than was seen.
   * @param there what stands in its place on the side that gets it
   */
  read(path: string, there?: Standing): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Where they are on this machine. */
  readonly find?: ((path: string) => Standing) | undefined;
  /** Where they lie on this machine, for threads. */
  readonly lend?: Bulk["lend"] | undefined;
};

export type Applied = {
  /** What stands there now, because of the plan. */
  readonly done: Changes;
  /** What could not be brought in order, by path; it is as it was. */
  readonly left: ReadonlyMap<string, Problem>;
  /** The folder with what stood there before; null where nothing did. */
  readonly displaced: string | null;
};

/**
 * One of the two trees, wherever it is: on this disk, or behind a wire. It keeps what it displaces, and finishes after a
 * crash what it had begun.
 */
export type Side = {
  readonly contents: Contents;
  /** Which folder it is: after it was made anew, or put elsewhere, another. @throws `sync_unreadable` */
  identify(): Promise<string>;
  /** Finishes what was begun before a crash. Resolves with what it knows to have stood on both sides since. */
  recover(): Promise<Changes>;
  look(options: LookOptions): Promise<Look>;
  /** @throws `disk_full`; then `recover` is to be asked next */
  apply(plan: Plan, contents: Contents): Promise<Applied>;
  /** What came of the last plan is known for good: it need not be told after a crash. */
  commit(): Promise<void>;
};
