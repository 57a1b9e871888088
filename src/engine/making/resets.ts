import { messageOf } from "../../base/problem.ts";
import type { EnvironmentId, EnvironmentRecord } from "../../environment/environment.ts";
import {
  environmentUnknown,
  resetSourceMissing,
  resetUnderWay,
  sourceUnfinished,
} from "../../environment/problems.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { Registry } from "../live/registry.ts";
import type { EngineContext } from "../machine/context.ts";
import { keptUntilMs, removeUnowned } from "../parts/generations.ts";
import type { Standbys } from "../standbys/standbys.ts";
import { assertWhole, bringUp } from "./creation.ts";
import type { CallOptions } from "./creation.ts";
import type { Replaced, Resetting } from "./replacement.ts";
import { resetDatabase, undoReset } from "./reset.ts";
import type { Made } from "./timings.ts";

export type ResetRequest = {
  /** null: of the environment that it was forked from. */
  readonly from: string | null;
  /** What its last reset replaced, instead. */
  readonly undo: boolean;
};

/** How often it is looked for what was replaced a day ago. */
const EXPIRE_EVERY_MS = 60_000;

/** Replaces databases, one at a time for each environment, and lets go of what was replaced when its day is over. */
export class Resets {
  readonly #context: EngineContext;
  readonly #registry: Registry;
  readonly #standbys: Standbys;
  readonly #underWay = new Set<EnvironmentId>();
  #expiring: NodeJS.Timeout | undefined;

  constructor(context: EngineContext, registry: Registry, standbys: Standbys) {
    this.#context = context;
    this.#registry = registry;
    this.#standbys = standbys;
  }

  /** Environments whose folders hold more than their records say just now. */
  underWay(): readonly EnvironmentId[] {
    return [...this.#underWay];
  }

  /** @throws `reset_under_way` */
  assertNone({ record }: LiveEnvironment): void {
    if (this.#underWay.has(record.id)) throw resetUnderWay(record.name);
  }

  /** Nobody resets or deletes it while this goes on. @throws `reset_under_way`, `environment_unknown` */
  async excluding<T>(live: LiveEnvironment, work: () => Promise<T>): Promise<T> {
    this.assertNone(live);
    const { id, app, name } = live.record;
    if (this.#registry.findById(id) === undefined) throw environmentUnknown(app, name, undefined);
    this.#underWay.add(id);
    try {
      return await work();
    } finally {
      this.#underWay.delete(id);
    }
  }

  /**
   * Resolves when it runs again.
   * @throws `reset_source_missing`, `nothing_replaced`, `reset_under_way`, `source_unfinished`, and what a fork throws
   */
  async reset(live: LiveEnvironment, how: ResetRequest, options: CallOptions): Promise<Made> {
    const resetting = { context: this.#context, live, options, standbys: this.#standbys };
    if (how.undo) return this.#replacing(resetting, async () => undoReset(resetting));
    const source = this.#requireSource(live.record, how.from);
    return this.#replacing(resetting, async () => resetDatabase(resetting, source));
  }

  /** Of a home that was just opened: removes what a reset left that was cut off, and looks from time to time. */
  async open(): Promise<void> {
    for (const { record } of this.#registry.list(null)) await removeUnowned(this.#context, record);
    this.#expiring = setInterval(() => void this.#expireOrNote(), EXPIRE_EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.#expiring);
  }

  /** Lets go of what can be had back no longer. */
  async expire(): Promise<void> {
    const now = this.#context.clock.now();
    for (const live of this.#registry.list(null)) {
      const until = keptUntilMs(live.record);
      if (until === null || until > now || this.#underWay.has(live.record.id)) continue;
      await this.excluding(live, async () => {
        await live.save({ replaced: null });
        await removeUnowned(this.#context, live.record);
      });
    }
  }

  async #expireOrNote(): Promise<void> {
    try {
      await this.expire();
    } catch (error) {
      this.#context.log(`What a reset replaced could not be removed: ${messageOf(error)}`);
    }
  }

  #requireSource(record: EnvironmentRecord, from: string | null): LiveEnvironment {
    if (from !== null && from !== record.name) {
      const source = this.#registry.require(record.app, from);
      assertWhole(source.record);
      return source;
    }
    const { parent } = record;
    const source = parent === null ? undefined : this.#registry.find(record.app, parent);
    if (source === undefined || from !== null) throw resetSourceMissing(record.name, parent);
    assertWhole(source.record);
    return source;
  }

  async #replacing(
    { context, live, options }: Resetting,
    replace: () => Promise<Replaced>,
  ): Promise<Made> {
    return this.excluding(live, async () => {
      if (live.record.state.kind === "preparing") throw sourceUnfinished(live.record.name);
      const { fork, ms } = await replace();
      const runtime = await bringUp(context, live, options);
      return { live, fork, timings: { files: 0, database: ms, runtime } };
    });
  }
}
