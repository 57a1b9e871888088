import { randomBytes } from "node:crypto";
import path from "node:path";

import { monotonicMs, waitFor } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { DEVELOPMENT } from "../../environment/name.ts";
import { findCloned } from "../../files/files.ts";
import { findSpare, listSpareFolders, useUpSpare } from "../home/spare-file.ts";
import type { SpareRecord } from "../home/spare-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { Registry } from "../live/registry.ts";
import type { EngineContext } from "../machine/context.ts";
import { hasRoom } from "../machine/standby-budget.ts";
import { recallForks } from "../standbys/fork-times.ts";
import { StandbyDemand } from "../standbys/standby-demand.ts";
import { Heirs } from "./heirs.ts";
import type { Heir } from "./heirs.ts";
import { makeSpare } from "./spare-making.ts";
import { SpareOffer } from "./spare-offer.ts";
import type { Spare } from "./spare-offer.ts";

/** The one that is being made. */
type Building = Heir & { readonly source: EnvironmentId; readonly end: AbortController };

const TEND_EVERY_MS = 2_000;
const DISK_EVERY_MS = 30_000;
/** A create in front of which a copy stands still takes no longer. */
const PAUSE_LIMIT_MS = 10 * 60_000;
/** An app that nobody forks keeps none for longer. */
const UNUSED_MS = 3 * 24 * 60 * 60_000;

/**
 * Copies of `node_modules` and the like that were made ahead, of environments that are likely to be forked: a fork
 * brings one up to date and moves it into its tree, instead of copying every file.
 */
export class Spares {
  readonly #context: EngineContext;
  readonly #registry: Registry;
  readonly #demand: StandbyDemand;
  readonly #held = new Map<string, Spare>();
  /** Being made, used up or removed. */
  readonly #busy = new Set<string>();
  /** Sources that may lack one. */
  readonly #due = new Set<EnvironmentId>();
  readonly #heirs: Heirs;
  #lookedMs = -Infinity;
  #building: Building | undefined;
  #tending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #removing = new Set<Promise<void>>();

  /** `uidOfNext`: which the next fork of a source will have. */
  constructor(
    context: EngineContext,
    registry: Registry,
    uidOfNext: (source: EnvironmentId) => number | null,
  ) {
    this.#context = context;
    this.#registry = registry;
    this.#heirs = new Heirs(context.layout, uidOfNext);
    this.#demand = new StandbyDemand(context.clock);
  }

  /** Those that an earlier server left whole, of sources that are there; the rest goes. */
  async adopt(): Promise<void> {
    await recallForks(this.#context.layout, this.#registry, this.#demand);
    for (const folder of await listSpareFolders(this.#context.layout)) {
      const record = await findSpare(folder);
      const isOwned = record !== undefined && this.#registry.findById(record.source) !== undefined;
      if (isOwned) this.#held.set(folder, { folder, record });
      else await this.#remove(folder);
    }
  }

  /** From now on they are tended. */
  start(): void {
    if (this.#context.spares.most === 0) return;
    this.#timer = setInterval(() => this.touch(), TEND_EVERY_MS).unref();
  }

  /** An environment that is there now: some are likely to be forked. */
  expect({ record }: LiveEnvironment): void {
    if (record.name === DEVELOPMENT && !this.#isOld(record.usedAt ?? record.createdAt))
      this.#due.add(record.id);
  }

  describe(): readonly SpareRecord[] {
    return [...this.#held.values()].map(({ record }) => record);
  }

  /** Those that are kept for forks to be. */
  uids(): readonly number[] {
    return uidsOf(this.#made());
  }

  /** Those that are kept for forks of this source. */
  uidsAhead(id: EnvironmentId): readonly number[] {
    return uidsOf(this.#made().filter(({ source }) => source === id));
  }

  /** What is no leftover. */
  folders(): ReadonlySet<string> {
    return new Set([...this.#held.keys(), ...this.#busy]);
  }

  /** Something may be to be done. */
  touch(): void {
    if (this.#timer === undefined) return;
    this.#tending ??= this.#tend()
      .catch((error: unknown) => this.#context.log(`Spare copies: ${messageOf(error)}`))
      .finally(() => {
        this.#tending = undefined;
      });
  }

  /** For a fork, if its source may have one. To be closed whatever becomes of it. */
  offer(source: LiveEnvironment | null): SpareOffer | undefined {
    if (source === null || this.#context.spares.most === 0) return undefined;
    const { id } = source.record;
    this.#demand.forked(id);
    return new SpareOffer({
      source: id,
      heirs: this.#heirs,
      takeAll: (isWanted) => this.#takeAll(id, isWanted),
      remove: (folder) => this.#removeBehind(folder),
      log: (text) => this.#context.log(text),
    });
  }

  /** The source is not there any more. Resolves when nothing is left of its spare copies. */
  async end(source: EnvironmentId): Promise<void> {
    this.#demand.forget(source);
    this.#due.delete(source);
    this.#heirs.forget(source);
    if (this.#building?.source === source) {
      this.#building.end.abort();
      await this.#tending;
    }
    for (const { folder, record } of this.#held.values())
      if (record.source === source) await this.#remove(folder);
  }

  /** Those that are whole stay; none is being made or removed when this resolves. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#building?.end.abort();
    await this.#tending;
    await Promise.allSettled(this.#removing);
  }

  /** Those that are there, and the one that is being made. */
  #made(): readonly (Heir & { readonly source: EnvironmentId })[] {
    const held = [...this.#held.values()].map(({ record }) => record);
    return this.#building === undefined ? held : [...held, this.#building];
  }

  #takeAll(source: EnvironmentId, isWanted: (spare: Spare) => boolean): readonly Spare[] {
    this.#due.add(source);
    const taken = [...this.#held.values()].filter(
      (spare) => spare.record.source === source && isWanted(spare),
    );
    for (const { folder } of taken) {
      this.#held.delete(folder);
      this.#busy.add(folder);
    }
    return taken;
  }

  #find(source: EnvironmentId, name: string, base: string | undefined): Spare | undefined {
    return [...this.#held.values()].find(
      ({ folder, record }) =>
        record.source === source && record.name === name && path.dirname(folder) === base,
    );
  }

  async #tend(): Promise<void> {
    const likely = this.#demand.select(this.#registry.list(null));
    await this.#removeUnneeded(new Set(likely.map(({ record }) => record.id)));
    for (const live of likely) if (this.#mayProvide(live)) await this.#provide(live);
  }

  #mayProvide({ record }: LiveEnvironment): boolean {
    const { calm, spares } = this.#context;
    const isCalm = calm.hasLasted(spares.calmMs);
    const isWhole = record.state.kind === "awake" || record.state.kind === "asleep";
    const isWanted = this.#due.has(record.id) && this.#demand.mayTry(record.id);
    return this.#timer !== undefined && isCalm && isWhole && isWanted;
  }

  /** All that it lacks, one after another. */
  async #provide(live: LiveEnvironment): Promise<void> {
    const { id, files } = live.record;
    this.#due.delete(id);
    const base = await this.#heirs.findBase(live.record);
    if (base === undefined) return;
    const heir = this.#heirs.choose(id);
    const end = new AbortController();
    this.#building = { source: id, ...heir, end };
    try {
      const { clone } = (await live.manifest()).files;
      for (const name of await findCloned(files.path, clone)) {
        if (this.#find(id, name, base) === undefined)
          await this.#make(live, { name, base, heir }, end);
      }
      this.#demand.succeeded(id);
    } catch (error) {
      // It is given up, or fails: a disk that is full, a folder that is gone. Tried again after a pause that doubles.
      this.#due.add(id);
      this.#demand.failed(id);
      if (!end.signal.aborted) live.note(`its spare copy failed: ${messageOf(error)}`);
    } finally {
      this.#building = undefined;
    }
  }

  async #make(
    { record: source }: LiveEnvironment,
    { name, base, heir }: { readonly name: string; readonly base: string; readonly heir: Heir },
    { signal }: AbortController,
  ): Promise<void> {
    if (this.#held.size >= this.#context.spares.most) return;
    const folder = path.join(base, randomBytes(8).toString("hex"));
    this.#busy.add(folder);
    let record: SpareRecord | undefined;
    try {
      const pause = async (): Promise<void> => this.#pause(signal);
      record = await makeSpare(this.#context, { source, name, folder, heir, pause });
    } finally {
      if (record === undefined) await this.#remove(folder);
      else this.#held.set(folder, { folder, record });
      this.#busy.delete(folder);
    }
  }

  /** Stands still while anyone makes or starts an environment. @throws the signal's reason */
  async #pause(signal: AbortSignal): Promise<void> {
    const { calm } = this.#context;
    const isCalm = (): true | undefined => (signal.aborted || !calm.isBroken ? true : undefined);
    await waitFor(isCalm, { timeoutMs: PAUSE_LIMIT_MS, everyMs: 50 });
    signal.throwIfAborted();
  }

  async #removeUnneeded(likely: ReadonlySet<EnvironmentId>): Promise<void> {
    const isFull = await this.#isFull();
    for (const { folder, record } of this.#held.values()) {
      const isNeeded = likely.has(record.source) && !this.#isOld(record.madeAt);
      if (isFull || !isNeeded) await this.#remove(folder);
    }
  }

  async #isFull(): Promise<boolean> {
    if (this.#held.size === 0 || monotonicMs() - this.#lookedMs < DISK_EVERY_MS) return false;
    this.#lookedMs = monotonicMs();
    const bases = new Set([...this.#held.keys()].map((folder) => path.dirname(folder)));
    const rooms = [...bases].map(async (base) => hasRoom(base, { bytes: 0, isThere: true }));
    return (await Promise.all(rooms)).includes(false);
  }

  #isOld(at: string): boolean {
    return this.#context.clock.now() - Date.parse(at) > UNUSED_MS;
  }

  #removeBehind(folder: string): void {
    const removing = this.#remove(folder).finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }

  /** What cannot be removed is a leftover. */
  async #remove(folder: string): Promise<void> {
    this.#held.delete(folder);
    this.#busy.add(folder);
    try {
      await useUpSpare(folder);
      await removeInside(path.dirname(folder), folder);
    } catch (error) {
      this.#context.log(`${folder}: ${messageOf(error)}`);
    } finally {
      this.#busy.delete(folder);
    }
  }
}

function uidsOf(heirs: readonly Heir[]): readonly number[] {
  return heirs.flatMap(({ owner, isReserved }) => (isReserved ? (owner?.uid ?? []) : []));
}
