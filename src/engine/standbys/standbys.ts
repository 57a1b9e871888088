import { canReflink } from "../../base/can-reflink.ts";
import { messageOf } from "../../base/problem.ts";
import { isDatabaseRunning } from "../../database/database.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import { createEnvironmentId } from "../home/layout.ts";
import { isStandby, readStandbys } from "../home/standby-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { Registry } from "../live/registry.ts";
import type { EngineContext } from "../machine/context.ts";
import { noteForks, recallForks } from "./fork-times.ts";
import { SourceChecks } from "./source-checks.ts";
import { findSourceDatabase, placeOfSource } from "./source-database.ts";
import { StandbyDemand } from "./standby-demand.ts";
import { planStandbys } from "./standby-plan.ts";
import type { StandbySource, StandbyStep } from "./standby-plan.ts";
import { Standby } from "./standby.ts";
import type { StandbyView } from "./standby.ts";

/** What a fork is given: a standby to promote, or that it must be copied though there are to be standbys. */
export type Claim =
  | { readonly kind: "ready"; readonly id: EnvironmentId; readonly uid: number | null }
  | { readonly kind: "missed" };

/** Which environment a new one will be, and whether a standby waits there to become its database. */
export type Identity = {
  readonly id: EnvironmentId;
  readonly uid: number | null;
  readonly standby: Claim["kind"] | null;
};

const TEND_EVERY_MS = 2_000;

/** Standbys of the environments that are likely to be forked, where a copy would have to move bytes. */
export class Standbys {
  readonly #context: EngineContext;
  readonly #registry: Registry;
  readonly #uidOfNext: (source: EnvironmentId) => number | null;
  readonly #demand: StandbyDemand;
  readonly #held = new Map<EnvironmentId, Standby>();
  readonly #checks: SourceChecks;
  #isTouched = false;
  #isClosed = false;
  #tending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isShared: Promise<boolean> | undefined;

  /** `uidOfNext`: which the next fork of a source is to have. */
  constructor(
    context: EngineContext,
    registry: Registry,
    uidOfNext: (source: EnvironmentId) => number | null,
  ) {
    this.#context = context;
    this.#registry = registry;
    this.#uidOfNext = uidOfNext;
    this.#demand = new StandbyDemand(context.clock);
    this.#checks = new SourceChecks(context, registry, {
      all: () => [...this.#held.values()],
      giveUp: (standby) => {
        this.#demand.failed(standby.source);
        void this.#remove(standby);
      },
    });
  }

  /** Those that an earlier server left, of sources that are there; what is none of these is a leftover. */
  async adopt(): Promise<void> {
    await recallForks(this.#context.layout, this.#registry, this.#demand);
    for (const record of await readStandbys(this.#context.layout)) {
      const isOwned = this.#registry.findById(record.source) !== undefined;
      const isUsedUp = this.#registry.findById(record.id) !== undefined;
      if (isOwned && !isUsedUp)
        this.#held.set(record.id, new Standby(this.#context, record, "following"));
    }
  }

  /** From now on they are tended. */
  start(): void {
    if (this.#context.standbys.most === 0) return;
    for (const { record } of this.#registry.list(null)) this.#checks.note(record.id);
    this.#timer = setInterval(() => this.touch(), TEND_EVERY_MS).unref();
    this.touch();
  }

  ids(): readonly EnvironmentId[] {
    return [...this.#held.keys()];
  }

  uids(): readonly number[] {
    return [...this.#held.values()].flatMap(({ record }) => record.uid ?? []);
  }

  /** Of those that wait for a fork of this source. */
  uidsAhead(source: EnvironmentId): readonly number[] {
    const waiting = this.#of(source).filter(({ phase }) => phase !== "claimed");
    return waiting.flatMap(({ record }) => record.uid ?? []);
  }

  /** As they were when they were measured last; `null`: those of all sources. */
  describe(source: EnvironmentId | null): readonly StandbyView[] {
    const standbys = source === null ? [...this.#held.values()] : this.#of(source);
    return standbys.filter(({ phase }) => phase !== "claimed").map((standby) => standby.describe());
  }

  /** Something may be to be done. */
  touch(): void {
    if (this.#isClosed || this.#context.standbys.most === 0) return;
    this.#isTouched = true;
    this.#tending ??= this.#tendWhileTouched().finally(() => {
      this.#tending = undefined;
    });
  }

  /** For a fork of this source; undefined: it is to have none. To be settled whatever becomes of it. */
  claim({ record, manifests }: LiveEnvironment): Claim | undefined {
    const warm = manifests.known?.grants.warm ?? 0;
    if (this.#context.standbys.most === 0 || warm === 0 || record.database === null)
      return undefined;
    this.#demand.forked(record.id);
    const ready = this.#of(record.id).find(
      ({ phase }) => phase === "following" || phase === "resting",
    );
    if (ready === undefined) return { kind: "missed" };
    ready.claim();
    return { kind: "ready", id: ready.id, uid: ready.record.uid };
  }

  /** The environment of this id was made, or will not be. */
  async settle(id: EnvironmentId): Promise<void> {
    const standby = this.#held.get(id);
    if (standby === undefined) return;
    if (await isStandby(this.#context.layout, id)) standby.giveBack();
    else this.#held.delete(id);
    this.#checks.note(standby.source);
    this.touch();
  }

  /** The source is not there any more. Resolves when nothing is left of its standbys. */
  async end(source: EnvironmentId): Promise<void> {
    this.#demand.forget(source);
    this.#checks.forget(source);
    const own = this.#of(source).filter(({ phase }) => phase !== "claimed");
    await Promise.all(own.map(async (standby) => this.#remove(standby)));
  }

  /** Asks what they cost now; `null`: those of all sources. */
  async measure(source: EnvironmentId | null): Promise<void> {
    const standbys = source === null ? [...this.#held.values()] : this.#of(source);
    const sources = new Set(standbys.map((standby) => standby.source));
    await Promise.all([
      ...[...sources].map(async (id) => this.#checks.check(id)),
      ...standbys.map(async (standby) => standby.measure()),
    ]);
  }

  /** The source sleeps: none of its standbys holds a process when this resolves. */
  async rest(source: EnvironmentId): Promise<void> {
    const following = this.#of(source).filter(({ phase }) => phase === "following");
    await Promise.all(following.map(async (standby) => this.#do(standby, standby.rest())));
    await Promise.all(this.#of(source).map(async (standby) => standby.settled()));
  }

  /** Those that follow go on following; none is being built or changed when this resolves. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#tending;
    await noteForks(this.#context.layout, this.#registry, this.#demand);
    const standbys = [...this.#held.values()];
    const building = standbys.filter(({ phase }) => phase === "building");
    await Promise.all(building.map(async (standby) => this.#remove(standby)));
    await Promise.all(standbys.map(async (standby) => standby.settled()));
  }

  /** No process of theirs is left when this resolves. */
  async stop(): Promise<void> {
    await this.close();
    await Promise.all([...this.#held.values()].map(async (standby) => standby.rest()));
  }

  async #tendWhileTouched(): Promise<void> {
    while (this.#isTouched && !this.#isClosed) {
      this.#isTouched = false;
      try {
        await this.#tend();
      } catch (error) {
        this.#context.log(`Standbys: ${messageOf(error)}`);
      }
    }
  }

  async #tend(): Promise<void> {
    const sources = (await this.#isNeeded()) ? await this.#listSources() : [];
    await noteForks(this.#context.layout, this.#registry, this.#demand);
    await Promise.all([...this.#held.values()].map(async (standby) => this.#look(standby)));
    await this.#checks.checkDue();
    if (this.#isClosed) return;
    const { most } = this.#context.standbys;
    for (const step of planStandbys(sources, [...this.#held.values()], most)) this.#begin(step);
  }

  /** Found by trying. */
  async #isNeeded(): Promise<boolean> {
    this.#isShared ??= canReflink(this.#context.layout.data);
    return this.#context.standbys.always || !(await this.#isShared);
  }

  async #listSources(): Promise<readonly StandbySource[]> {
    const { calm, standbys } = this.#context;
    const isCalm = calm.hasLasted(standbys.calmMs);
    const likely = this.#demand.select(this.#registry.list(null));
    return Promise.all(
      likely.map(async (live) => {
        const { id, database } = live.record;
        const { warm } = await live.manifests.recallGrants();
        const isServing =
          database !== null && (await isDatabaseRunning(placeOfSource(this.#context, live)));
        const isAwake = live.isUp();
        const mayBuild = isCalm && isServing && isAwake && this.#demand.mayTry(id);
        return { id, wanted: database === null ? 0 : warm, isServing, isAwake, mayBuild };
      }),
    );
  }

  async #look(standby: Standby): Promise<void> {
    if (standby.phase !== "following") return;
    const place = this.#context.layout.databasePlace(standby.record);
    if (!(await isDatabaseRunning(place))) standby.hasEnded();
  }

  #begin(step: StandbyStep): void {
    if (step.kind === "build") return this.#build(step.source);
    const standby = this.#held.get(step.id);
    if (standby === undefined) return undefined;
    const source = this.#findSource(standby.source);
    if (step.kind === "remove" || source === undefined) void this.#remove(standby);
    else void this.#do(standby, step.kind === "rest" ? standby.rest() : standby.follow(source));
    return undefined;
  }

  #build(sourceId: EnvironmentId): void {
    const source = this.#findSource(sourceId);
    if (source === undefined) return;
    const record = {
      id: createEnvironmentId(),
      uid: this.#uidOfNext(sourceId),
      source: sourceId,
    };
    const standby = new Standby(this.#context, record, "building");
    this.#held.set(record.id, standby);
    void this.#do(standby, standby.build(source));
  }

  /** One that fails is removed, and tried again later. */
  async #do(standby: Standby, work: Promise<void>): Promise<void> {
    try {
      await work;
      this.#demand.succeeded(standby.source);
    } catch (error) {
      if (!standby.isGivenUp()) {
        this.#demand.failed(standby.source);
        this.#registry.findById(standby.source)?.note(`its standby failed: ${messageOf(error)}`);
      }
      this.#checks.note(standby.source);
      await this.#remove(standby);
    }
    this.touch();
  }

  async #remove(standby: Standby): Promise<void> {
    try {
      await standby.remove();
      this.#held.delete(standby.id);
      this.#checks.note(standby.source);
    } catch (error) {
      // What is left of it is a leftover from now on.
      this.#held.delete(standby.id);
      this.#context.log(`${standby.id}: ${messageOf(error)}`);
    }
    this.touch();
  }

  #of(source: EnvironmentId): readonly Standby[] {
    return [...this.#held.values()].filter((standby) => standby.source === source);
  }

  #findSource(id: EnvironmentId): ReturnType<typeof findSourceDatabase> {
    return findSourceDatabase(this.#context, this.#registry, id);
  }
}
