import { isDeepStrictEqual } from "node:util";

import type { ProcessState } from "../environment/environment.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { processUnknown } from "../environment/problems.ts";
import { endMarked } from "../process/process.ts";
import { Inlets } from "./inlets.ts";
import { OwnAddressServer } from "./own-addresses.ts";
import type { OwnAddresses, ProcessPlan, RelayPlan, RuntimePlan } from "./plan.ts";
import { type Relay, openRelay } from "./relay.ts";
import { Stillness } from "./stillness.ts";
import { SupervisedProcess, type Surroundings } from "./supervised-process.ts";
import type { WayOutPlan } from "./way-out/way-out-plan.ts";
import { WayOut } from "./way-out/way-out.ts";

const SWEEP_GRACE_MS = 1_000;

/** The processes and relays of one environment. Its methods are called one after another. */
export class Supervisor {
  readonly stillness: Stillness;
  readonly #surroundings: Surroundings;
  #processes: readonly SupervisedProcess[] = [];
  #relays: readonly Relay[] = [];
  #inlets: Inlets | undefined;
  #addresses: { readonly plan: OwnAddresses; readonly server: OwnAddressServer } | undefined;
  #wayOut: { readonly plan: WayOutPlan; readonly way: WayOut } | undefined;

  constructor(surroundings: Omit<Surroundings, "onServing">) {
    this.#surroundings = { ...surroundings, onServing: async (port) => this.#inlets?.add(port) };
    this.stillness = new Stillness(surroundings.mark, surroundings.onChange);
  }

  states(): readonly ProcessState[] {
    return this.#processes.map((process) => process.state());
  }

  /** Starts what is new, stops what is gone, restarts what changed, and leaves the rest alone. @throws `relay_port_taken` */
  async apply(plan: RuntimePlan): Promise<void> {
    await this.#applyRelays(plan.relays);
    await this.openWayOut(plan.wayOut);
    await this.#openAddresses(plan.addresses);
    if (plan.inlets !== null) this.#inlets ??= new Inlets(plan.inlets, () => this.stillness.stir());
    const kept = this.#processes.filter((process) =>
      plan.processes.some((one) => isDeepStrictEqual(one, process.plan)),
    );
    const gone = this.#processes.filter((process) => !kept.includes(process));
    await Promise.all(gone.map((process) => process.stop()));
    const fresh: SupervisedProcess[] = [];
    this.#processes = plan.processes.map((one) => findNamed(kept, one) ?? this.#create(one, fresh));
    for (const process of fresh) process.start();
    this.#surroundings.onChange();
  }

  /** @throws `process_unknown` */
  async restart(name: string): Promise<void> {
    const found = this.#processes.find((process) => process.plan.name === name);
    if (found === undefined)
      throw processUnknown(
        name,
        this.#processes.map((process) => process.plan.name),
      );
    await found.stop();
    found.start();
  }

  /** Nothing that bears the environment's mark is left. @throws `process_stuck` */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
    await Promise.all(this.#relays.map((relay) => relay.close()));
    this.#relays = [];
    await this.#inlets?.close();
    await this.openWayOut(null);
    await this.#openAddresses(null);
    await endMarked(MARK_VARIABLE, this.#surroundings.mark, { graceMs: SWEEP_GRACE_MS });
  }

  #create(plan: ProcessPlan, fresh: SupervisedProcess[]): SupervisedProcess {
    const process = new SupervisedProcess(plan, this.#surroundings);
    fresh.push(process);
    return process;
  }

  async #openAddresses(plan: OwnAddresses | null): Promise<void> {
    if (isDeepStrictEqual(plan, this.#addresses?.plan ?? null)) return;
    this.#addresses?.server.close();
    this.#addresses = undefined;
    if (plan === null) return;
    const server = new OwnAddressServer(plan);
    this.#addresses = { plan, server };
    await server.open();
  }

  async #applyRelays(plans: readonly RelayPlan[]): Promise<void> {
    const kept = this.#relays.filter((relay) => plans.some((plan) => isSame(plan, relay)));
    await Promise.all(
      this.#relays.filter((relay) => !kept.includes(relay)).map((relay) => relay.close()),
    );
    this.#relays = kept;
    await this.openRelays(plans);
  }

  /** Connections by the same way stay. */
  async openWayOut(plan: WayOutPlan | null): Promise<void> {
    if (isDeepStrictEqual(plan, this.#wayOut?.plan ?? null)) return;
    this.#wayOut?.way.close();
    this.#wayOut = undefined;
    if (plan === null) return;
    const way = new WayOut(plan);
    this.#wayOut = { plan, way };
    await way.open();
  }

  /** Those that are not open yet, and leaves the others as they are. @throws `relay_port_taken` */
  async openRelays(plans: readonly RelayPlan[]): Promise<void> {
    const { onUse } = this.#surroundings;
    for (const plan of plans) {
      const relay = this.#relays.find((one) => isSame(plan, one));
      if (relay === undefined) this.#relays = [...this.#relays, await openRelay(plan, onUse)];
      else if (!plan.isHeld) relay.release();
    }
  }
}

function isSame(plan: RelayPlan, relay: Relay): boolean {
  return plan.port === relay.port && plan.socket === relay.socket;
}

function findNamed(
  processes: readonly SupervisedProcess[],
  plan: ProcessPlan,
): SupervisedProcess | undefined {
  return processes.find((process) => process.plan.name === plan.name);
}
