import { waitFor } from "../../base/clock.ts";
import { KeyedLock } from "../../base/keyed-lock.ts";
import { messageOf, Problem } from "../../base/problem.ts";
import type { ProblemFields } from "../../base/problem.ts";
import {
  findDatabase,
  hasOpenWork,
  startDatabase,
  stopDatabase,
  takeCensus,
  tidyDatabase,
} from "../../database/database.ts";
import type { Census, Database } from "../../database/database.ts";
import type { DatabaseRecord, EnvironmentRecord } from "../../environment/environment.ts";
import { isRunning } from "../../process/process.ts";
import { makeDatabaseSocketFolder } from "../home/layout.ts";
import type { EngineContext } from "../machine/context.ts";
import type { KnownManifest } from "../processes/manifests.ts";
import { afterEnd, afterFailure, afterStart, describeRecovery, isDue, WELL } from "./recovery.ts";
import type { Recovery } from "./recovery.ts";

/** Longer than a fork of any database takes that is copied byte by byte. */
const RELEASE_LIMIT_MS = 10 * 60_000;
/** Clients that come again and again do not make one that fails start more often than this. */
const RETRY_MS = 5_000;

type Owner = Pick<EnvironmentRecord, "id" | "uid" | "app" | "name" | "generation">;

/** null: it has no database. */
export function findHeldDatabase(
  context: EngineContext,
  owner: Owner & Pick<EnvironmentRecord, "database">,
  manifests: KnownManifest,
): HeldDatabase | null {
  const { database: record } = owner;
  return record === null ? null : new HeldDatabase(context, owner, { record, manifests });
}

/** An environment's database as the engine holds it: started when it is needed, and not stopped while someone works with it. */
export class HeldDatabase {
  readonly #context: EngineContext;
  readonly #owner: Owner;
  readonly #database: Database;
  readonly #manifests: KnownManifest;
  readonly #starting = new KeyedLock();
  #holds = 0;
  #tidying: { readonly stop: AbortController; readonly ended: Promise<void> } | null = null;
  /** Of the server, while it is to run. */
  #pid: number | undefined;
  #recovery: Recovery = WELL;

  constructor(
    context: EngineContext,
    owner: Owner,
    { record, manifests }: { readonly record: DatabaseRecord; readonly manifests: KnownManifest },
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#manifests = manifests;
    this.#database = { place: context.layout.databasePlace(owner), record };
  }

  isHeld(): boolean {
    return this.#holds > 0;
  }

  /** What a person should know of a server that ended by itself. */
  problem(): ProblemFields | null {
    const { log } = this.#database.place;
    return describeRecovery(this.#recovery, { log, nowMs: this.#now() });
  }

  /** Resolves at once where it runs. @throws `database_failed` */
  async start(): Promise<void> {
    await this.#starting.run("", async () => this.#start());
  }

  /** The same for one client of many. @throws what the last start threw, while another is not due */
  async startForClient(): Promise<void> {
    if (this.#hasJustFailed()) {
      const problem = this.problem();
      if (problem !== null) throw new Problem(problem);
    }
    await this.start();
  }

  /** One that ended by itself is started again: at once, then later each time. No more than a look where it runs. */
  async mend(): Promise<void> {
    const isToRun = this.#pid !== undefined;
    if (isToRun ? this.#runs() : !isDue(this.#recovery, this.#now())) return;
    await this.#starting.run("", async () => this.#startAgain());
  }

  async stop(): Promise<void> {
    await this.#starting.run("", async () => {
      this.#pid = undefined;
      this.#recovery = WELL;
      await stopDatabase(this.#database.place);
    });
  }

  /** Whether a transaction is open in it, or a statement runs; also where that cannot be found out. */
  async isBusy(): Promise<boolean> {
    if ((await findDatabase(this.#database.place)) === undefined) return false;
    return hasOpenWork(this.#database).catch(() => true);
  }

  /** What it holds; null where it does not run, or does not answer. */
  async takeCensus(): Promise<Census | null> {
    if ((await findDatabase(this.#database.place)) === undefined) return null;
    // One that ends meanwhile holds nothing that could be told.
    return takeCensus(this.#database).catch(() => null);
  }

  /** It has come to rest: what its writes have scattered is mended behind everyone's back, until it is needed again. */
  tidy(): void {
    const stop = new AbortController();
    const ended = tidyDatabase(this.#database.place, stop.signal).then(
      () => undefined,
      (error: unknown) => {
        if (!stop.signal.aborted) this.#context.log(`${this.#owner.id}: ${messageOf(error)}`);
      },
    );
    this.#tidying = { stop, ended };
  }

  /** Works with it while it runs. */
  async hold<T>(work: (database: Database) => Promise<T>): Promise<T> {
    this.#holds += 1;
    try {
      await this.start();
      return await work(this.#database);
    } finally {
      this.#holds -= 1;
    }
  }

  /** Waits until nobody works with it: one that is being forked must not be stopped. */
  async released(): Promise<void> {
    this.#tidying?.stop.abort();
    await this.#tidying?.ended;
    await waitFor(() => (this.#holds === 0 ? true : undefined), { timeoutMs: RELEASE_LIMIT_MS });
  }

  async #start(): Promise<void> {
    const running = await findDatabase(this.#database.place);
    if (running !== undefined) {
      this.#pid = running;
      return;
    }
    if (this.#pid !== undefined) this.#noteEnd();
    this.#tidying?.stop.abort();
    await this.#context.checkpoint("before its start");
    try {
      await makeDatabaseSocketFolder(this.#context.layout, this.#owner);
      const programs = await this.#context.postgres.forRecord(this.#database.record);
      const { limits } = await this.#manifests.recallGrants();
      this.#pid = await startDatabase({ programs }, { ...this.#database.place, limits });
    } catch (error) {
      if (this.#recovery.kind !== "well")
        this.#recovery = afterFailure(this.#recovery, messageOf(error), this.#now());
      throw error;
    }
    if (this.#recovery.kind !== "well") this.#note("its database had ended and was started again.");
    this.#recovery = afterStart(this.#recovery, this.#now());
  }

  /** Unless somebody has started or stopped it meanwhile, or it is too early. */
  async #startAgain(): Promise<void> {
    if (this.#runs()) return;
    if (this.#pid !== undefined) this.#noteEnd();
    if (isDue(this.#recovery, this.#now())) await this.#start();
  }

  #runs(): boolean {
    return this.#pid !== undefined && isRunning(this.#pid);
  }

  #noteEnd(): void {
    this.#pid = undefined;
    this.#recovery = afterEnd(this.#recovery, this.#now());
  }

  #note(text: string): void {
    this.#context.log(`${this.#owner.app}--${this.#owner.name}: ${text}`);
  }

  #hasJustFailed(): boolean {
    if (this.#recovery.kind === "down") return this.#now() - this.#recovery.failedAtMs < RETRY_MS;
    return this.#recovery.kind === "restarting" && this.#recovery.failures > 0;
  }

  #now(): number {
    return this.#context.clock.now();
  }
}
