import path from "node:path";

import { allDone } from "../../base/all-done.ts";
import { monotonicMs } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { traced } from "../../base/trace.ts";
import type { EnvironmentRecord, ProcessState } from "../../environment/environment.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { endMarked } from "../../process/process.ts";
import { findRuntime, startFirstRuntime, startRuntime } from "../../runtime/runtime.ts";
import type { Dialled, Runtime, RuntimePlan, StepResult } from "../../runtime/runtime.ts";
import { makeKeeperSocketFolder } from "../home/layout.ts";
import { findProcessUser, findUserIfThere, isPersons } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";
import { chooseIsolation, isOf } from "../processes/isolation.ts";
import { holdKeeper, killAll, renewLimits } from "../processes/limiting.ts";
import { planRuntime, planStep } from "../processes/runtime-planning.ts";
import type { StepCommand } from "../processes/runtime-planning.ts";

export type RuntimeEvents = {
  onChange(): void;
  /** A process uses its database. */
  onUse(): void;
  /** The keeper went away, and nobody here asked it to. */
  onLost(): Promise<void>;
  note(text: string): void;
};

/** Two ways to a port in a network of its own: a connection that its keeper hands over, or a unix socket that it listens on. */
export type Inlet = { readonly path: string; readonly dial: () => Promise<Dialled> };

/** An environment's keeper as the engine holds it. */
export class HeldRuntime {
  readonly #context: EngineContext;
  readonly #record: () => EnvironmentRecord;
  readonly #events: RuntimeEvents;
  #runtime: Runtime | undefined;
  /** All that bore its marks was looked for and ended, and nothing was started since. */
  #isCleared = false;
  /** Monotonic. */
  #stirredMs = Number.NEGATIVE_INFINITY;

  constructor(context: EngineContext, record: () => EnvironmentRecord, events: RuntimeEvents) {
    this.#context = context;
    this.#record = record;
    this.#events = events;
  }

  /** undefined: there is no keeper to ask. */
  processes(): readonly ProcessState[] | undefined {
    return this.#runtime?.processes();
  }

  async settled(options: Parameters<Runtime["settled"]>[0]): Promise<void> {
    await this.#runtime?.settled(options);
  }

  async restart(name: string): Promise<void> {
    await this.#runtime?.restart(name);
  }

  /**
   * The keeper that was started ahead, the one that is there, or a new one; of the network that it is to be in. What its
   * manifest asks for runs; but whoever connects to the database is answered only once `apply` was called.
   */
  async open(manifest: Manifest): Promise<void> {
    const keeper = traced("keeper", async () =>
      this.#hold(await this.#requireRuntime(manifest, await this.#takeEarly())),
    );
    const [plan] = await allDone([this.#plan(manifest, { isHeld: true }), keeper]);
    await traced("processes are started", async () => this.#apply(manifest, plan));
  }

  /** Runs a command to its end, before its processes as well. @throws as `Runtime.step` does */
  async runStep(manifest: Manifest, step: StepCommand, signal: AbortSignal): Promise<StepResult> {
    const plan = await planStep(this.#context, this.#record(), { manifest, step });
    if (this.#runtime !== undefined) return this.#runtime.step(plan, signal);
    const early = await this.#requireRuntime(manifest, await this.#takeEarly());
    // The wake finds it there.
    this.#context.keepers.set(this.#record().id, Promise.resolve(early));
    return early.step(plan, signal);
  }

  hasOwnNetwork(): boolean {
    return this.#runtime?.hasOwnNetwork === true;
  }

  isOpen(): boolean {
    return this.#runtime !== undefined;
  }

  isFrozen(): boolean {
    return this.#runtime?.isFrozen() === true;
  }

  /** Nobody has needed them for so long. */
  calmMs(): number {
    return monotonicMs() - this.#stirredMs;
  }

  async freeze(): Promise<void> {
    const askedMs = monotonicMs();
    await this.#runtime?.freeze();
    // What was sent to them meanwhile, on a connection that was handed to us, their keeper has not seen.
    if (this.#stirredMs >= askedMs) await this.thaw();
  }

  /** Somebody needs them, and does not wait. */
  stir(): void {
    this.#stirredMs = monotonicMs();
    if (this.isFrozen()) this.thaw().catch((error: unknown) => this.#events.note(messageOf(error)));
  }

  /** Nothing where they run. */
  async thaw(): Promise<void> {
    if (this.isFrozen()) await this.#runtime?.thaw();
  }

  /** How one of its ports is reached, when that is in a network of its own; also by whichever keeper it has later. */
  inlet(port: number): Inlet | null {
    if (!this.hasOwnNetwork()) return null;
    const { layout } = this.#context;
    return {
      path: path.join(layout.keeperSockets(this.#record().id), String(port)),
      dial: async () => this.#runtime?.dial(port) ?? { kind: "unavailable" },
    };
  }

  /** False: its manifest asks for a keeper of another kind. */
  async isOf(manifest: Manifest): Promise<boolean> {
    if (this.#runtime === undefined) return true;
    return isOf(this.#runtime, await chooseIsolation(this.#context, this.#record(), manifest));
  }

  /** What its manifest and variables ask for runs; nothing where no keeper is open. */
  async apply(manifest: Manifest): Promise<void> {
    await this.#apply(manifest, await this.#plan(manifest, { isHeld: false }));
  }

  #plan(manifest: Manifest, { isHeld }: { readonly isHeld: boolean }): Promise<RuntimePlan> {
    return planRuntime(this.#context, this.#record(), { manifest, isHeld });
  }

  async #apply(manifest: Manifest, plan: RuntimePlan): Promise<void> {
    await renewLimits(this.#context, this.#record().id, manifest);
    await this.#runtime?.apply(plan);
  }

  /** Takes up the keeper of a server before this one. Resolves with whether there was one. */
  async adopt(): Promise<boolean> {
    const { layout } = this.#context;
    const user = await findUserIfThere(layout, this.#record());
    const runtime = await findRuntime(layout.runtimePlace(this.#record().id, user));
    if (runtime !== undefined) this.#hold(runtime);
    return runtime !== undefined;
  }

  async stop(): Promise<void> {
    const { keepers } = this.#context;
    const { id } = this.#record();
    const runtime = this.#runtime ?? (await keepers.get(id));
    keepers.delete(id);
    this.#runtime = undefined;
    await runtime?.stop();
    this.#isCleared = runtime !== undefined;
    await this.#context.groups?.remove(id);
  }

  /** Ends all of it at once: what takes more than it may is not asked. */
  async kill(): Promise<void> {
    this.#context.keepers.delete(this.#record().id);
    this.#runtime?.disconnect();
    this.#runtime = undefined;
    await killAll(this.#context, this.#record().id);
  }

  /** A keeper that has gone is asked nothing more. */
  drop(): void {
    this.#runtime = undefined;
  }

  /** Ends what bears its marks, whoever started it. */
  async endLeftovers(): Promise<void> {
    const { mark } = this.#context.layout.runtimePlace(this.#record().id, null);
    await endMarked(MARK_VARIABLE, mark, { graceMs: 2_000 });
    await endMarked(MARK_VARIABLE, `${mark}.keeper`, { graceMs: 2_000 });
  }

  /** The server leaves; the processes go on. */
  disconnect(): void {
    this.#runtime?.disconnect();
  }

  /** The keeper that was started ahead, if it is there still. @throws why it could not be started; the next is then started anew */
  async #takeEarly(): Promise<Runtime | undefined> {
    const { keepers } = this.#context;
    const { id } = this.#record();
    const early = keepers.get(id);
    keepers.delete(id);
    const runtime = await early;
    return runtime?.isGone() === true ? undefined : runtime;
  }

  async #requireRuntime(manifest: Manifest, known: Runtime | undefined): Promise<Runtime> {
    const { layout } = this.#context;
    const { id } = this.#record();
    const isolation = await chooseIsolation(this.#context, this.#record(), manifest);
    const user = await findProcessUser(layout, this.#record());
    const place = layout.runtimePlace(id, user);
    if (known === undefined) await makeKeeperSocketFolder(layout, { id, user });
    const found = known ?? (await findRuntime(place));
    if (found !== undefined && isOf(found, isolation)) return found;
    await found?.stop();
    const hasOwnNetwork = isolation.kind === "isolated";
    const onStarted = holdKeeper(this.#context, this.#record(), manifest);
    const handsOver = hasOwnNetwork && !isPersons(this.#record(), user);
    const start = this.#isCleared ? startFirstRuntime : startRuntime;
    this.#isCleared = false;
    const started = start(place, { hasOwnNetwork, handsOver, onStarted });
    if (hasOwnNetwork && manifest.network !== "none") await this.#openWayOut(started);
    return started;
  }

  /** Side by side with the keeper's start: both are programs that take as long as Node. */
  async #openWayOut(started: Promise<Runtime>): Promise<void> {
    try {
      await allDone([started, this.#context.wayOut()]);
    } catch (error) {
      // Which of the two has failed is thrown; a keeper that has not started needs no stop.
      const runtime = await started.catch(() => undefined);
      await runtime?.stop();
      throw error;
    }
  }

  #hold(runtime: Runtime): void {
    this.#runtime = runtime;
    runtime.onChange(() => this.#events.onChange());
    runtime.onUse(() => this.#events.onUse());
    void runtime.closed
      .then(async () => this.#lost(runtime))
      .catch((error: unknown) => this.#events.note(messageOf(error)));
  }

  async #lost(runtime: Runtime): Promise<void> {
    if (this.#runtime === runtime) await this.#events.onLost();
  }
}
