import { createStandby, startDatabase, stopDatabase } from "../../database/database.ts";
import type { Database, Stream } from "../../database/database.ts";
import type { EnvironmentId, STANDBY_STATES } from "../../environment/environment.ts";
import { measureOwnBytes } from "../../files/files.ts";
import { makeDatabaseFolders } from "../home/layout.ts";
import { standbyNoRoom } from "../home/problems.ts";
import { writeStandby } from "../home/standby-file.ts";
import type { StandbyRecord } from "../home/standby-file.ts";
import type { EngineContext } from "../machine/context.ts";
import { hasRoom } from "../machine/standby-budget.ts";
import { clearEnvironment } from "../parts/local-parts.ts";
import { measureCost, NO_COST } from "./standby-cost.ts";
import type { StandbyCost } from "./standby-cost.ts";
import type { StandbyPhase } from "./standby-plan.ts";

/** More than this behind, it costs its source more than a fork by promotion is worth. */
const MAX_WAL_BYTES = 256 * 1024 ** 2;
/** Looks in a row. */
const MAX_SILENCES = 3;

export type StandbyView = StandbyCost & {
  readonly id: string;
  readonly state: (typeof STANDBY_STATES)[number];
};

/** One standby as the engine holds it. */
export class Standby {
  readonly record: StandbyRecord;
  readonly #context: EngineContext;
  readonly #giveUp = new AbortController();
  #phase: StandbyPhase;
  #working: Promise<void> = Promise.resolve();
  #cost: StandbyCost = NO_COST;
  #silences = 0;

  constructor(context: EngineContext, record: StandbyRecord, phase: StandbyPhase) {
    this.#context = context;
    this.record = record;
    this.#phase = phase;
  }

  get id(): EnvironmentId {
    return this.record.id;
  }
  get source(): EnvironmentId {
    return this.record.source;
  }
  get phase(): StandbyPhase {
    return this.#phase;
  }

  /** As people and programs are shown it. */
  describe(): StandbyView {
    const state =
      this.#phase === "building" || this.#phase === "resting" ? this.#phase : "following";
    return { id: this.id, state, ...this.#cost };
  }

  /** Settles when nothing is being done with it. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** Copies the source and follows it. @throws what keeps it from it; then nothing is left of it. */
  async build(source: Database): Promise<void> {
    await this.#work("following", async () => {
      try {
        await this.#build(source);
      } catch (error) {
        await clearEnvironment(this.#context, this.id);
        throw error;
      }
    });
  }

  /** Its source serves: it catches up. */
  async follow(source: Database): Promise<void> {
    this.#phase = "changing";
    await this.#work("following", async () => {
      const programs = await this.#context.postgres.forRecord(source.record);
      await startDatabase({ programs }, this.#context.layout.databasePlace(this.record));
    });
  }

  /** Its source sleeps. */
  async rest(): Promise<void> {
    this.#phase = "changing";
    await this.#work("resting", async () =>
      stopDatabase(this.#context.layout.databasePlace(this.record)),
    );
  }

  /** It is neither wanted nor of use. */
  async remove(): Promise<void> {
    this.#giveUp.abort(new Error("The standby is not wanted any more."));
    await this.#working;
    this.#phase = "changing";
    await this.#work("changing", async () => clearEnvironment(this.#context, this.id));
  }

  claim(): void {
    this.#phase = "claimed";
  }

  /** The fork was not made after all. */
  giveBack(): void {
    this.#phase = "following";
  }

  isGivenUp(): boolean {
    return this.#giveUp.signal.aborted;
  }

  /** Ended by itself, or by the machine. */
  hasEnded(): void {
    if (this.#phase === "following") this.#phase = "resting";
  }

  /** What its source keeps for it. Resolves with false when it is of no use any more. */
  isOfUse(stream: Stream | undefined): boolean {
    this.#silences = stream?.isActive === true ? 0 : this.#silences + 1;
    this.#cost = { ...this.#cost, walBytes: stream?.walBytes ?? 0 };
    if (stream === undefined || !stream.isWhole || stream.walBytes > MAX_WAL_BYTES) return false;
    return this.#silences < MAX_SILENCES;
  }

  async measure(): Promise<void> {
    if (this.#phase !== "following" && this.#phase !== "resting") return;
    const { layout } = this.#context;
    const place = layout.databasePlace(this.record);
    try {
      this.#cost = { ...this.#cost, ...(await measureCost(layout.folder(this.id), place)) };
    } catch {
      // It went away meanwhile: a fork has claimed it, or it is being removed.
    }
  }

  async #build(source: Database): Promise<void> {
    const { layout, checkpoint, postgres } = this.#context;
    const { signal } = this.#giveUp;
    await checkpoint("before standby");
    const bytes = (await measureOwnBytes(source.place.folder)) ?? 0;
    if (!(await hasRoom(layout.data, { bytes, isThere: false }))) throw standbyNoRoom();
    await makeDatabaseFolders(layout, this.record);
    const place = layout.databasePlace(this.record, source.place.limits);
    const programs = await postgres.forRecord(source.record);
    await createStandby({ programs }, source, { place, signal });
    await checkpoint("after standby");
    signal.throwIfAborted();
    await writeStandby(layout, this.record);
    this.#cost = { ...this.#cost, diskBytes: bytes };
  }

  async #work(then: StandbyPhase, work: () => Promise<void>): Promise<void> {
    const working = work();
    this.#working = working.catch(() => {
      // Whoever began it is told.
    });
    await working;
    this.#phase = then;
  }
}
