import { allDone } from "../../base/all-done.ts";
import { Barrier } from "../../base/barrier.ts";
import { KeyedLock } from "../../base/keyed-lock.ts";
import { messageOf, type ProblemFields } from "../../base/problem.ts";
import { traced } from "../../base/trace.ts";
import type { Database } from "../../database/database.ts";
import type {
  EnvironmentRecord,
  EnvironmentState,
  ProcessState,
} from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { KeptRecord } from "../home/kept-record.ts";
import type { EngineContext } from "../machine/context.ts";
import { KnownManifest } from "../processes/manifests.ts";
import { listUnstarted } from "../processes/process-plans.ts";
import { choosePorts, type StepCommand } from "../processes/runtime-planning.ts";
import { Facts } from "./facts.ts";
import { findHeldDatabase, type HeldDatabase } from "./held-database.ts";
import { HeldRuntime, type Inlet } from "./held-runtime.ts";
import { mayRun, noteInterruption } from "./interruption.ts";
import { Requests } from "./requests.ts";
import { Resting } from "./resting.ts";
import { Usage, usedMs } from "./usage.ts";
import { WakeFailure } from "./wake-failure.ts";
import { beginWaking, untilDatabase, type Waking } from "./waking.ts";

type Phase = "asleep" | "waking" | "awake" | "falling asleep";

/** One environment as the engine holds it: its record, its running parts, and who waits for it. */
export class LiveEnvironment {
  readonly #context: EngineContext;
  readonly #lock = new KeyedLock();
  readonly #kept: KeptRecord;
  /** Closed while its database is exchanged for another. */
  readonly #exchange = new Barrier();
  #database: HeldDatabase | null;
  readonly #runtime: HeldRuntime;
  readonly #listeners = new Set<() => void>();
  #phase: Phase = "asleep";
  readonly manifests: KnownManifest;
  readonly facts: Facts;
  readonly usage: Usage;
  readonly requests: Requests;
  /** The folder of what its processes print. */
  readonly logs: string;
  #waking: Waking | undefined;
  readonly resting: Resting;
  readonly wakeFailure = new WakeFailure();

  constructor(context: EngineContext, record: EnvironmentRecord) {
    this.#context = context;
    this.#kept = new KeptRecord(context.layout, record);
    this.manifests = new KnownManifest(record.files.path);
    this.facts = new Facts(context, () => this.record);
    this.usage = new Usage(context.clock, usedMs(record), () => this.#runtime.stir());
    this.logs = context.layout.logs(record.id);
    this.requests = new Requests(context.layout.accessLogs(record.id), context.clock);
    this.#database = findHeldDatabase(context, record, this.manifests);
    this.#runtime = new HeldRuntime(context, () => this.record, {
      onChange: () => this.#announce(),
      onUse: () => this.usage.touch(),
      onLost: async () => this.#lost(),
      note: (text) => this.note(text),
    });
    this.resting = new Resting(this.usage, this.#runtime, this.manifests);
  }

  get record(): EnvironmentRecord {
    return this.#kept.value;
  }

  state(): EnvironmentState {
    if (this.record.state.kind === "broken") return "broken";
    if (this.record.state.kind === "preparing") return "creating";
    if (this.#phase.endsWith("asleep")) return "asleep";
    return this.#runtime.isFrozen() ? "frozen" : "awake";
  }

  /** Whether processes with its mark are its own: all but while it sleeps. */
  ownsProcesses(): boolean {
    return (
      this.#phase !== "asleep" ||
      this.#database?.isHeld() === true ||
      this.state() === "creating" ||
      this.state() === "broken"
    );
  }

  /** What its record says once it is prepared: whether its processes run just now. */
  restState(): EnvironmentRecord["state"] {
    return { kind: this.#phase === "asleep" ? "asleep" : "awake" };
  }

  /** A line about it in the server's own log. */
  note(text: string): void {
    this.#context.log(`${this.record.app}--${this.record.name}: ${text}`);
  }

  /** True while the processes are being started, and have no states of their own yet. */
  isWaking(): boolean {
    return this.#phase === "waking";
  }

  processes(): readonly ProcessState[] {
    const known = this.#phase === "asleep" ? undefined : this.#runtime.processes();
    const state = this.#phase === "waking" ? "starting" : "stopped";
    return known ?? listUnstarted(this.manifests.known, this.record.ports, state);
  }

  /** What stands in its way: a broken preparation, a wake that failed, processes that fail. */
  problems(): readonly ProblemFields[] {
    const broken = this.record.state.kind === "broken" ? this.record.state.problem : null;
    const others = [broken, this.wakeFailure.problem(), this.#database?.problem()];
    const processes = this.processes().map(({ problem }) => problem);
    return [...others, ...processes, ...this.requests.problems()].flatMap((one) => one ?? []);
  }

  /** @throws `manifest_invalid`, `app_not_found`, `files_missing` */
  manifest(): Promise<Manifest> {
    return this.manifests.read();
  }

  /** Calls back whenever a state may have changed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Database and processes run, or wait for what they lack. Resolves at once where they do. */
  async wake(): Promise<void> {
    this.usage.touch();
    if (!this.isUp()) return this.#beginWake().all;
    await Promise.all([this.#database?.start(), this.#runtime.thaw()]);
  }

  /** Ends processes and database; what they hold stays. `forGood`: nothing of this engine wakes it again. */
  async sleep({ forGood = false } = {}): Promise<void> {
    await this.#lock.run("", async () => {
      await this.#fallAsleep();
      if (forGood) this.#kept.close();
      else this.#database?.tidy();
    });
  }

  /**
   * Ends processes and sessions, then does the work, which saves that another database is its own. Whoever asks for its
   * database or wakes it meanwhile waits for that one.
   */
  async changeDatabase(work: () => Promise<void>): Promise<void> {
    const exchange = async (): Promise<void> => {
      await this.#fallAsleep();
      await work();
      this.#database = findHeldDatabase(this.#context, this.record, this.manifests);
      this.wakeFailure.clear();
    };
    await this.#lock.run("", async () => this.#exchange.closedDuring(exchange));
  }

  /** Whether it has anything that may end by itself, or could rest. */
  isUp(): boolean {
    return this.#phase === "awake";
  }

  /** What is due by itself: a database that ended is started again, and an environment that nobody uses falls asleep. */
  async look(): Promise<void> {
    if (!this.isUp() || this.#kept.isClosed) return;
    await this.#database?.mend();
    if (this.#runtime.hasOwnNetwork()) await this.#context.wayOut();
    if (this.resting.isSleepDue())
      await this.#restWhile(() => this.resting.isSleepDue(), "nobody uses it");
    else if (this.resting.isFreezeDue())
      await this.#lock.run("", async () => this.resting.freeze(this.#database));
  }

  /** It took more than it may: all of it is ended at once, and why stays until somebody starts it. */
  async breakDown(problem: ProblemFields): Promise<void> {
    await this.#lock.run("", async () => {
      if (this.#kept.isClosed || this.#phase !== "awake") return;
      this.note(problem.message);
      this.#enter("falling asleep");
      await this.#runtime.kill();
      await this.save({ state: { kind: "broken", problem }, usedAt: this.usage.lastTime() });
      this.#enter("asleep");
      await this.#stopIdleDatabase();
    });
  }

  /** Memory is short: it sleeps before its time, unless it is needed. Resolves with whether it does. */
  async makeRoom(): Promise<boolean> {
    return this.#restWhile(() => this.resting.mayMakeRoom(), "memory is short");
  }

  /** What its database holds; null where it has none that runs. */
  async takeCensus(): ReturnType<HeldDatabase["takeCensus"]> {
    return this.#database?.takeCensus() ?? null;
  }

  /** Where one of its ports is reached, when that is in a network of its own. */
  inlet(port: number): Inlet | null {
    return this.#runtime.inlet(port);
  }

  /** Waits until no process is starting, or the limit has passed. */
  async settled(options: Parameters<HeldRuntime["settled"]>[0]): Promise<void> {
    await this.#runtime.settled(options);
  }

  /** Its variables or its manifest changed: processes that see another environment are started again. */
  async refresh(): Promise<void> {
    if (this.#phase !== "awake") return;
    const manifest = await this.manifest();
    if (!(await this.#runtime.isOf(manifest))) return this.sleep().then(async () => this.wake());
    return this.#lock.run("", async () => {
      if (this.#phase === "awake") await this.#runtime.apply(manifest);
    });
  }

  /** Runs a command in it to its end, its database at hand. @throws as `Runtime.step` does */
  async runStep(step: StepCommand, signal: AbortSignal): ReturnType<HeldRuntime["runStep"]> {
    const manifest = await this.manifest();
    return this.withDatabase(async () => this.#runtime.runStep(manifest, step, signal));
  }

  async restartProcess(name: string): Promise<void> {
    await this.#runtime.restart(name);
  }

  /** Takes up what a server before this one left running. `hasProcesses`: somebody bears its marks. */
  async adopt({ hasProcesses }: { readonly hasProcesses: boolean }): Promise<void> {
    // What cannot be read shows among the problems of the next wake; its processes run on.
    await this.manifest().catch((error: unknown) => this.note(messageOf(error)));
    const isThere = await this.#runtime.adopt();
    if (!isThere || this.record.state.kind !== "awake") {
      await this.#runtime.stop();
      if (hasProcesses) await this.#runtime.endLeftovers();
      await this.#database?.stop();
      await noteInterruption(this);
      return;
    }
    await this.#database?.start();
    this.usage.touch();
    this.#enter("awake");
  }

  /** The server leaves; the environment goes on. */
  async disconnect(): Promise<void> {
    this.#kept.close();
    this.#runtime.disconnect();
    await this.requests.close();
  }

  /** It is being deleted: nothing may wake it again, and nobody waits for it. */
  async end(): Promise<void> {
    this.#kept.close();
    await this.requests.close();
    await this.#lock.run("", async () => this.#runtime.stop());
    await this.#database?.released();
  }

  /** Works with the running database, which is not stopped meanwhile. null: it has none. */
  async withDatabase<T>(work: (database: Database | null) => Promise<T>): Promise<T> {
    while (this.#exchange.opening() !== undefined) await this.#exchange.opening();
    const database = this.#database;
    if (database === null) return work(null);
    try {
      return await this.usage.during(async () => database.hold(work));
    } finally {
      this.#announce();
      if (this.state() === "asleep") await this.#lock.run("", async () => this.#stopIdleDatabase());
    }
  }

  /** For a client at the door: wakes it, where it sleeps. Resolves with the database's socket. */
  async openDatabase(): Promise<string> {
    this.usage.touch();
    while (this.#exchange.opening() !== undefined) await this.#exchange.opening();
    if (this.state() === "asleep") await untilDatabase(this.#beginWake());
    else await this.#database?.startForClient();
    return `${this.#context.layout.databaseSockets(this.record.id)}/.s.PGSQL.5432`;
  }

  /** Changes its record. One that is being deleted stays deleted. */
  async save(change: Partial<EnvironmentRecord>): Promise<void> {
    await this.#kept.save(change);
    this.#announce();
  }

  #beginWake(): Waking {
    this.#waking ??= beginWaking(async (onDatabase) => {
      await this.#lock
        .run("", async () => this.#wake(onDatabase))
        .finally(() => {
          this.#waking = undefined;
        });
    });
    return this.#waking;
  }

  async #wake(onDatabase: () => void): Promise<void> {
    if (this.#kept.isClosed || !mayRun(this.record) || this.#phase === "awake") return;
    this.#enter("waking");
    try {
      const [manifest] = await Promise.all([
        traced("manifest", async () => this.manifest()),
        this.#context.admission.enter(this.record.name),
      ]);
      // Both are settled before either's failure is told: what was started can then be ended.
      await allDone([
        traced("database", async () => this.#database?.start()).then(onDatabase),
        this.#openRuntime(manifest),
      ]);
      await traced("database is let in", async () => this.#runtime.apply(manifest));
      await this.save({ state: { kind: "awake" } });
      this.wakeFailure.clear();
      this.#enter("awake");
    } catch (error) {
      this.wakeFailure.note(error);
      await this.#runtime.stop();
      this.#enter("asleep");
      await this.#stopIdleDatabase();
      if (this.record.state.kind === "preparing") await this.save({ state: { kind: "asleep" } });
      throw error;
    }
  }

  async #openRuntime(manifest: Manifest): Promise<void> {
    const ports = await traced("ports", () => choosePorts(this.#context, this.record, manifest));
    this.#kept.note({ ports });
    await this.#runtime.open(manifest);
  }

  /** Its keeper went away by itself: what it kept is started again. */
  async #lost(): Promise<void> {
    if (this.#kept.isClosed || this.#phase !== "awake") return;
    this.note("its keeper ended; starting it again.");
    this.#runtime.drop();
    this.#enter("asleep");
    await this.wake();
  }

  async #fallAsleep(): Promise<void> {
    // Nobody starts again meanwhile what is being ended: a wake comes after it.
    this.#enter("falling asleep");
    await this.#runtime.stop();
    await this.#database?.released();
    await this.#database?.stop();
    if (this.record.state.kind === "awake")
      await this.save({ state: { kind: "asleep" }, usedAt: this.usage.lastTime() });
    this.#enter("asleep");
  }

  /** Resolves with whether it sleeps now. */
  async #restWhile(isDue: () => boolean, why: string): Promise<boolean> {
    return this.#lock.run("", async () => {
      if (this.#kept.isClosed || !this.isUp()) return false;
      if (!(await this.resting.isStillDue(isDue, this.#database))) return false;
      this.note(`${why}; it falls asleep.`);
      await this.#fallAsleep();
      this.#database?.tidy();
      return true;
    });
  }

  async #stopIdleDatabase(): Promise<void> {
    if (this.#phase === "asleep" && this.#database?.isHeld() === false) await this.#database.stop();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#announce();
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }
}
