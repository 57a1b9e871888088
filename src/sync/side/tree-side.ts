import path from "node:path";

import { type Clock, isoTime } from "../../base/clock.ts";
import { explainDiskFull } from "../../base/disk-full.ts";
import { hasErrorCode, Problem } from "../../base/problem.ts";
import type { Plan } from "../core/plan.ts";
import { type Entry, listParents } from "../core/tree.ts";
import { type Disk, inTree, type Place, type Seen } from "../disk/disk.ts";
import { changedMeanwhile, syncUnreadable } from "../disk/problems.ts";
import { Trash } from "../disk/trash.ts";
import type { CopiesAhead } from "./copies-ahead.ts";
import { finishIntents, noteIntent, settleIntents } from "./intents.ts";
import type { KeptHashes } from "./kept-hashes.ts";
import type { Known } from "./known.ts";
import { exchangeMany, keepMany, placeMany, stageMany } from "./many-steps.ts";
import { Scanner } from "./scanner.ts";
import type { Applied, Changes, Contents, Look, LookOptions, Side } from "./side.ts";
import { stageFile } from "./stage.ts";
import { standingAt } from "./standing.ts";
import { findRemoved, hasBytes, isInside, requireInside, toSteps } from "./steps.ts";
import { type Hands, settleExchange, type Step, stagedAt, takeStep } from "./take-step.ts";

/** What tells where something may have happened. */
export type Hints = {
  /** The folders since it was last asked; null: anywhere. */
  take(): Iterable<string> | null;
  /** It is looked at from now on; true: it was not before. */
  follow(folder: string): boolean;
  /** It is no part of the tree any more. */
  leave(folder: string): void;
};

export type TreeSideOptions = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hints: Hints;
  readonly hashes?: KeptHashes | undefined;
  /** Copies of what this side is likely to be brought, made while git was changing the other. */
  readonly ahead?: Pick<CopiesAhead, "stage" | "clear"> | undefined;
  /** What was read of this side's files for such copies. */
  readonly recall?: CopiesAhead["recall"] | undefined;
  /** Names the two sides: of another pair's plan this one learns nothing. */
  readonly pair: string;
  /** Where its store is, for people. */
  readonly store: string;
};

/** A side that is a folder of this machine. */
export class TreeSide implements Side {
  readonly contents: Contents;
  readonly #options: TreeSideOptions;
  readonly #scanner: Scanner;
  readonly #id: string;

  /** @throws `sync_unreadable` */
  constructor(options: TreeSideOptions) {
    const { disk, clock, hints, hashes, recall } = options;
    this.#options = options;
    this.#id = disk.identify();
    this.#scanner = new Scanner({
      disk,
      clock,
      hashes,
      recall,
      onFolder: (folder) => hints.follow(folder),
      onGone: (folder) => hints.leave(folder),
    });
    const { bulk } = disk;
    this.contents = {
      read: (name) => disk.read(inTree(name)),
      find: (name) => standingAt(disk, name),
      lend: bulk && ((names, work) => bulk.lend(names, work)),
    };
  }

  identify(): Promise<string> {
    return Promise.resolve(this.#id);
  }

  async recover(): Promise<Changes> {
    return this.#atRest(async () => finishIntents(this.#hands(), this.#options.pair));
  }

  /** @throws `sync_unreadable` when the folder was put away meanwhile: what it held then is not gone */
  async look(options: LookOptions): Promise<Look> {
    return this.#atRest(async () => {
      this.#requireSame();
      const hinted = this.#options.hints.take();
      const look = await this.#scanner.look(options, hinted ?? []);
      this.#requireSame();
      return { ...look, isPartial: hinted === null && options.scope !== "all" };
    });
  }

  async apply(plan: Plan, contents: Contents): Promise<Applied> {
    return this.#atRest(async () => {
      const hands = this.#hands();
      const batch = new Batch(hands, this.#scanner, this.#options);
      await batch.carryOut(toSteps(plan), contents);
      const { done, left } = batch;
      const { folder } = hands.trash;
      const displaced = folder === null ? null : path.join(this.#options.store, folder);
      return { done, left, displaced };
    });
  }

  commit(): Promise<void> {
    return this.#atRest(async () => {
      await settleIntents(this.#hands(), this.#options.pair);
      await this.#options.ahead?.clear();
    });
  }

  #hands(): Hands {
    const { disk, clock } = this.#options;
    return {
      disk,
      trash: new Trash(disk, isoTime(clock).replaceAll(":", "-")),
      isAsRead: (name, entry, moved) => this.#scanner.isAsRead(name, entry, moved),
    };
  }

  #requireSame(): void {
    if (this.#options.disk.identify() !== this.#id)
      throw syncUnreadable("The folder", "it was replaced");
  }

  async #atRest<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainDiskFull(error, this.#options.store);
    } finally {
      this.#options.disk.rest();
    }
  }
}

type Tried = Awaited<ReturnType<typeof stageMany>>;

/** Steps that are taken together, noted before the first. */
class Batch {
  readonly done = new Map<string, Entry | undefined>();
  readonly left = new Map<string, Problem>();
  readonly #hands: Hands;
  readonly #scanner: Scanner;
  readonly #options: Pick<TreeSideOptions, "pair" | "ahead">;
  /** Paths by hashes. */
  #removed: ReadonlyMap<string, string> = new Map();

  constructor(hands: Hands, scanner: Scanner, options: Pick<TreeSideOptions, "pair" | "ahead">) {
    this.#hands = hands;
    this.#scanner = scanner;
    this.#options = options;
  }

  async carryOut(steps: readonly Step[], contents: Contents): Promise<void> {
    if (steps.length === 0) return;
    this.#removed = findRemoved(steps);
    const ready = await this.#makeReady(steps, contents);
    const removals = ready.filter(({ entry }) => entry === undefined);
    for (const step of removals) await this.#attempt(step, () => this.#take(step));
    this.#prune(removals);
    const placed = await placeMany(this.#hands.disk, ready);
    for (const [step, { before, after }] of placed) this.#note(step, before, after);
    const exchanged = await this.#exchange(ready);
    for (const step of ready)
      if (step.entry !== undefined && !placed.has(step) && !exchanged.has(step))
        await this.#attempt(step, () => this.#take(step));
  }

  async #exchange(steps: readonly Step[]): Promise<ReadonlyMap<Step, unknown>> {
    const hands = this.#hands;
    const findKnown = (name: string, entry: Entry): Known | null =>
      this.#scanner.findKnown(name, entry);
    const exchanged = await exchangeMany(hands.disk, steps, findKnown);
    const kept = await keepMany(hands, [...exchanged.keys()], findKnown);
    for (const [step, { before, after }] of exchanged)
      await this.#attempt(step, async () => {
        if (step.entry !== undefined && !kept.has(step))
          await settleExchange(step, step.entry, hands);
        this.#note(step, before, after);
      });
    return exchanged;
  }

  /** All that is put is aside, and what is going to be done is written down; or nothing is: on a full disk each file counts. */
  async #makeReady(steps: readonly Step[], contents: Contents): Promise<readonly Step[]> {
    const { disk } = this.#hands;
    try {
      const tried = await this.#stageMany(steps, contents);
      for (const step of steps)
        await this.#attempt(step, async () =>
          this.#prepareOrNothing(step, () => this.#prepare(step, contents, tried)),
        );
      const ready = steps.filter((step) => !this.left.has(step.path));
      await noteIntent(disk, this.#options.pair, ready);
      return ready;
    } catch (error) {
      for (const { aside } of steps) disk.remove(stagedAt(aside));
      await this.#options.ahead?.clear();
      throw error;
    }
  }

  async #attempt(step: Step, work: () => Promise<void>): Promise<void> {
    await this.#hands.disk.breathe();
    try {
      await work();
    } catch (error) {
      const problem = toProblem(error, step.path);
      if (problem === undefined) throw error;
      this.left.set(step.path, problem);
    }
  }

  /** Until its step is taken, nothing but ours can lie aside. */
  async #prepareOrNothing(step: Step, prepare: () => Promise<void>): Promise<void> {
    try {
      await prepare();
    } catch (error) {
      this.#hands.disk.remove(stagedAt(step.aside));
      throw error;
    }
  }

  async #prepare(step: Step, contents: Contents, tried: Tried): Promise<void> {
    requireInside(step);
    const { entry, path: name, aside } = step;
    if (entry === undefined || entry.kind === "folder") return;
    const { disk } = this.#hands;
    const staged = stagedAt(aside);
    if (entry.kind === "link") return void disk.makeLink(entry.target, staged);
    const failure = tried.get(step);
    if (failure !== undefined) throw failure;
    if (tried.has(step)) return;
    const there = step.expected?.kind === "file" ? standingAt(disk, name) : undefined;
    const source = hasBytes(step) ? name : this.#removed.get(entry.hash);
    const parts = source === undefined ? contents.read(name, there) : disk.read(inTree(source));
    await stageFile(disk, { to: staged, path: name, entry, parts });
  }

  /** What was copied ahead; and where they are many and both sides are of this machine. */
  async #stageMany(steps: readonly Step[], contents: Contents): Promise<Tried> {
    const needBytes = steps.filter(
      (step) => step.entry?.kind === "file" && !hasBytes(step) && isInside(step),
    );
    const staged = (await this.#options.ahead?.stage(needBytes)) ?? new Set<Step>();
    const others = needBytes.filter((step) => !staged.has(step));
    const tried = await stageMany(this.#hands.disk, others, contents);
    return new Map([...tried, ...[...staged].map((step) => [step, undefined] as const)]);
  }

  async #take(step: Step): Promise<void> {
    const { disk } = this.#hands;
    const { entry, aside } = step;
    const before = disk.see(stagedAt(aside));
    await takeStep(step, this.#hands);
    this.#note(step, before, entry === undefined ? undefined : disk.see(placeOf(step.path)));
  }

  /** @param before as it was seen aside @param after as it was seen in its place */
  #note({ path: name, entry }: Step, before: Seen | undefined, after: Seen | undefined): void {
    this.done.set(name, entry);
    // What somebody has changed since is found by the next look: it is not what was put there.
    const isOurs = entry?.kind !== "file" || before === undefined || before.bytes === after?.bytes;
    this.#scanner.learn(name, entry, isOurs ? after : undefined);
  }

  /** Folders that removals left empty, the deepest first. */
  #prune(removals: readonly Step[]): void {
    const folders = removals.flatMap((step) => listParents(step.path.replace(/\/$/, "")));
    for (const folder of [...new Set(folders)].toSorted((a, b) => b.length - a.length))
      this.#hands.disk.removeFolder(inTree(folder));
  }
}

/** What concerns one path alone; undefined: it concerns all. */
function toProblem(error: unknown, name: string): Problem | undefined {
  if (error instanceof Problem) return error;
  if (hasErrorCode(error, "EACCES", "EPERM", "EROFS", "EIO"))
    return syncUnreadable(name, "it may not be read or written");
  if (hasErrorCode(error, "EXDEV")) return syncUnreadable(name, "it is on another disk");
  // A folder on the way was removed meanwhile.
  if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ENAMETOOLONG", "EISDIR"))
    return changedMeanwhile(name);
  return undefined;
}

function placeOf(name: string): Place {
  return inTree(name.replace(/\/$/, ""));
}
