import { monotonicMs } from "../../base/clock.ts";
import { endStreams, isDatabaseRunning, listStreams } from "../../database/database.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import type { Registry } from "../live/registry.ts";
import type { EngineContext } from "../machine/context.ts";
import { hasRoom } from "../machine/standby-budget.ts";
import { findSourceDatabase } from "./source-database.ts";
import type { Standby } from "./standby.ts";

type Held = {
  readonly all: () => readonly Standby[];
  /** It costs its source more than it is worth. */
  readonly giveUp: (standby: Standby) => void;
};

/** How often each source of a standby is asked. */
const CHECK_EVERY_MS = 30_000;

/** Asks sources what they keep for standbys: what is kept for none is ended, and a standby that is of no use given up. */
export class SourceChecks {
  readonly #context: EngineContext;
  readonly #registry: Registry;
  readonly #held: Held;
  /** Sources that are to be asked as soon as they serve. */
  readonly #due = new Set<EnvironmentId>();
  #checkedMs = -Infinity;

  constructor(context: EngineContext, registry: Registry, held: Held) {
    this.#context = context;
    this.#registry = registry;
    this.#held = held;
  }

  /** What it keeps may have changed: it is asked as soon as it serves. */
  note(source: EnvironmentId): void {
    this.#due.add(source);
  }

  forget(source: EnvironmentId): void {
    this.#due.delete(source);
  }

  async checkDue(): Promise<void> {
    if (monotonicMs() - this.#checkedMs >= CHECK_EVERY_MS) {
      this.#checkedMs = monotonicMs();
      for (const { source } of this.#held.all()) this.#due.add(source);
    }
    // Whoever was forked before an earlier server ended may keep something, too.
    const awake = this.#registry.list(null).filter((live) => live.isUp());
    for (const { record } of awake) if (this.#due.has(record.id)) await this.check(record.id);
  }

  async check(id: EnvironmentId): Promise<void> {
    const source = findSourceDatabase(this.#context, this.#registry, id);
    if (source === undefined || !(await isDatabaseRunning(source.place))) return;
    const streams = await listStreams(source);
    const unknown = streams.filter((stream) => !this.#isHeld(stream.id));
    if (unknown.length > 0)
      await endStreams(
        source,
        unknown.map((stream) => stream.id),
      );
    if (!unknown.some(({ isActive }) => isActive)) this.#due.delete(id);
    const own = this.#held.all().filter((standby) => standby.source === id);
    for (const standby of own.filter(({ phase }) => phase === "following")) {
      const stream = streams.find((one) => one.id === standby.id);
      if (standby.isOfUse(stream) && (await this.#hasRoom())) continue;
      this.#held.giveUp(standby);
    }
  }

  #isHeld(id: string): boolean {
    return this.#held.all().some((standby) => standby.id === id);
  }

  async #hasRoom(): Promise<boolean> {
    return hasRoom(this.#context.layout.data, { bytes: 0, isThere: true });
  }
}
