import { monotonicMs } from "../../base/clock.ts";
import type { ProcessState } from "../../environment/environment.ts";
import type { KnownManifest } from "../processes/manifests.ts";
import type { HeldDatabase } from "./held-database.ts";
import type { HeldRuntime } from "./held-runtime.ts";
import type { Usage } from "./usage.ts";

/** Nobody has used it for so long: its processes are held still in memory, and go on within milliseconds. */
const FREEZE_AFTER_MS = 60_000;
/** Whoever was asked to stand still and did not is asked again after it; whoever was needed is not asked before it. */
const ASK_AGAIN_MS = 3_000;
/** Whoever was used within it does not sleep for another. */
const NEEDED_MS = 10_000;
/** Of one processor: who takes more is at work, whoever asked for it. */
const BUSY_CPU = 0.2;

export type Restful = {
  readonly idleMs: number;
  /** null: it never falls asleep, so it is to run without anybody's asking. */
  readonly sleepMs: number | null;
  /** Somebody is at it. */
  readonly isOccupied: boolean;
  /** Nobody reaches its processes but by us, who set them going. */
  readonly hasOwnNetwork: boolean;
  readonly processes: readonly Pick<ProcessState, "state">[];
  /** Processors' worth of time that it takes. */
  readonly cpu: number;
};

/** Whether its processes may be held still. */
export function isToFreeze(one: Restful): boolean {
  if (one.sleepMs === null || one.isOccupied || !one.hasOwnNetwork) return false;
  if (one.idleMs < FREEZE_AFTER_MS || one.cpu > BUSY_CPU) return false;
  return one.processes.length > 0 && !one.processes.some(({ state }) => UNSETTLED.has(state));
}

const UNSETTLED: ReadonlySet<ProcessState["state"]> = new Set(["starting", "restarting"]);

/** When one environment rests, and how deep. */
export class Resting {
  readonly #usage: Usage;
  readonly #runtime: HeldRuntime;
  readonly #manifests: KnownManifest;
  /** Monotonic; before it nobody asks its processes to stand still. */
  #nextMs = 0;

  constructor(usage: Usage, runtime: HeldRuntime, manifests: KnownManifest) {
    this.#usage = usage;
    this.#runtime = runtime;
    this.#manifests = manifests;
  }

  /** When it is to fall asleep if nobody uses it; milliseconds since 1970. null: never, or somebody is at it, or it sleeps. */
  sleepsAtMs(): number | null {
    const sleepMs = this.#runtime.isOpen() ? this.#sleepMs() : null;
    return sleepMs === null || this.#usage.isOccupied() ? null : this.#usage.lastMs() + sleepMs;
  }

  isSleepDue(): boolean {
    return this.#mayRest(this.#sleepMs());
  }

  /** Whether it may sleep before its time, for another. */
  mayMakeRoom(): boolean {
    return this.#mayRest(NEEDED_MS);
  }

  /** Somebody may come while its database is asked whether it is at work, which counts as use. */
  async isStillDue(isDue: () => boolean, database: HeldDatabase | null): Promise<boolean> {
    if (!isDue()) return false;
    if ((await database?.isBusy()) === true) this.#usage.touch();
    return isDue();
  }

  isFreezeDue(): boolean {
    if (this.#runtime.isFrozen() || monotonicMs() < this.#nextMs) return false;
    if (this.#runtime.calmMs() < ASK_AGAIN_MS) return false;
    return isToFreeze({
      idleMs: this.#usage.idleMs(),
      sleepMs: this.#sleepMs(),
      isOccupied: this.#usage.isOccupied(),
      hasOwnNetwork: this.#runtime.hasOwnNetwork(),
      processes: this.#runtime.processes() ?? [],
      cpu: this.#usage.sample.cpu,
    });
  }

  /** Holds its processes still, unless its database is at work, which counts as use. */
  async freeze(database: HeldDatabase | null): Promise<void> {
    this.#nextMs = monotonicMs() + ASK_AGAIN_MS;
    const isDue = (): boolean => this.#mayRest(FREEZE_AFTER_MS);
    if (!(await this.isStillDue(isDue, database))) return;
    await this.#runtime.freeze();
    // Somebody may have come meanwhile.
    if (!isDue()) await this.#runtime.thaw();
  }

  #mayRest(idleMs: number | null): boolean {
    if (idleMs === null || this.#sleepMs() === null || this.#usage.isOccupied()) return false;
    return this.#usage.idleMs() >= idleMs;
  }

  #sleepMs(): number | null {
    return this.#manifests.known?.sleepMs ?? null;
  }
}
