import { once } from "node:events";
import { type Socket, connect } from "node:net";

import { sleep, waitFor } from "../base/clock.ts";
import { Problem, hasErrorCode } from "../base/problem.ts";
import type { ProcessState } from "../environment/environment.ts";
import type { RuntimePlace } from "../environment/places.ts";
import type { RuntimePlan, StepPlan } from "./plan.ts";
import { keeperGone, keeperSilent } from "./problems.ts";
import type { StepResult } from "./step.ts";
import {
  type KeeperCommand,
  type KeeperEvent,
  WIRE_VERSION,
  parseEvent,
  receive,
  send,
} from "./wire.ts";

/** A command to stop waits for processes that ignore SIGTERM, and for those before it. */
const ANSWER_MS = 45_000;
const GREETING_MS = 5_000;

type Pending = {
  readonly resolve: (result: StepResult | null) => void;
  readonly reject: (problem: Problem) => void;
};
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** A server's connection to a keeper: a live mirror of its states, and the commands. */
export class KeeperClient {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #place: RuntimePlace;
  readonly #answerMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #useListeners = new Set<() => void>();
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #processes: readonly ProcessState[] = [];
  #version: number | undefined;
  #hasOwnNetwork = false;
  #canFreeze = false;
  #isFrozen = false;
  #isDisconnected = false;

  /** @param answerMs how long a command may take */
  constructor(socket: Socket, place: RuntimePlace, answerMs = ANSWER_MS) {
    this.#socket = socket;
    this.#place = place;
    this.#answerMs = answerMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    receive(socket, parseEvent, (event) => this.#take(event));
    socket.once("close", () => {
      this.#abandon();
      if (!this.#isDisconnected) resolve();
    });
  }

  /** False when it is silent, or of another version. */
  async isGreeted(): Promise<boolean> {
    await waitFor(() => this.#version ?? (this.#socket.destroyed ? 0 : undefined), {
      timeoutMs: GREETING_MS,
      everyMs: 2,
    });
    return this.#version === WIRE_VERSION;
  }

  /** Known once it has greeted. */
  get hasOwnNetwork(): boolean {
    return this.#hasOwnNetwork;
  }

  isGone(): boolean {
    return this.#socket.destroyed;
  }

  isFrozen(): boolean {
    return this.#isFrozen;
  }

  async freeze(): Promise<void> {
    if (this.#canFreeze) await this.#ask({ kind: "freeze" });
  }

  async thaw(): Promise<void> {
    if (this.#canFreeze) await this.#ask({ kind: "thaw" });
  }

  processes(): readonly ProcessState[] {
    return this.#processes;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onUse(listener: () => void): void {
    this.#useListeners.add(listener);
  }

  async apply(plan: RuntimePlan): Promise<void> {
    const { logs, mark } = this.#place;
    await this.#ask({ kind: "apply", logs, mark, plan });
  }

  async restart(name: string): Promise<void> {
    await this.#ask({ kind: "restart", name });
  }

  /** Resolves when it has ended; after an abort too, with the signal's reason. */
  async step(step: StepPlan, signal: AbortSignal): Promise<StepResult> {
    signal.throwIfAborted();
    const { logs, mark } = this.#place;
    const limitMs = step.timeoutMs + this.#answerMs;
    const id = this.#nextId;
    const cancel = (): void => send(this.#socket, { kind: "cancel", id: this.#takeId(), step: id });
    signal.addEventListener("abort", cancel);
    try {
      const result = await this.#ask({ kind: "step", logs, mark, step }, limitMs);
      if (result === null) throw new Error("A step that has ended has a result.");
      return result;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  async stop(): Promise<void> {
    await this.#ask({ kind: "stop" });
    await Promise.race([this.closed, sleep(GREETING_MS)]);
  }

  async settled(options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<readonly ProcessState[]> {
    const limit = AbortSignal.timeout(options.timeoutMs);
    const signals = options.signal === undefined ? [limit] : [limit, options.signal];
    await this.#untilSettled(AbortSignal.any(signals));
    options.signal?.throwIfAborted();
    return this.#processes;
  }

  disconnect(): void {
    this.#isDisconnected = true;
    this.#listeners.clear();
    this.#useListeners.clear();
    this.#socket.destroy();
  }

  async #untilSettled(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      const isSettled = this.#processes.every(({ state }) => state !== "starting");
      if (isSettled || this.#socket.destroyed || signal.aborted) resolve();
    };
    const forget = this.onChange(look);
    signal.addEventListener("abort", look, { once: true });
    look();
    await promise;
    forget();
  }

  async #ask(
    command: WithoutId<KeeperCommand>,
    limitMs = this.#answerMs,
  ): Promise<StepResult | null> {
    if (this.#socket.destroyed) throw keeperGone();
    const id = this.#takeId();
    const { promise, resolve, reject } = Promise.withResolvers<StepResult | null>();
    this.#pending.set(id, { resolve, reject });
    const answered = new AbortController();
    send(this.#socket, { ...command, id });
    try {
      return await Promise.race([promise, failAfter(limitMs, answered.signal)]);
    } finally {
      answered.abort();
      this.#pending.delete(id);
    }
  }

  #takeId(): number {
    const id = this.#nextId;
    this.#nextId += 1;
    return id;
  }

  #take(event: KeeperEvent): void {
    if (event.kind === "states") {
      this.#version = event.version;
      this.#hasOwnNetwork = event.hasOwnNetwork;
      this.#canFreeze = event.canFreeze;
      this.#isFrozen = event.isFrozen;
      this.#processes = event.processes;
      this.#notify();
      return;
    }
    if (event.kind === "used") {
      for (const listener of this.#useListeners) listener();
      return;
    }
    const pending = this.#pending.get(event.id);
    if (event.problem === null) pending?.resolve(event.result);
    else pending?.reject(new Problem(event.problem));
  }

  #abandon(): void {
    this.#processes = this.#processes.map((one) => ({ ...one, state: "stopped", pid: null }));
    for (const { reject } of this.#pending.values()) reject(keeperGone());
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** undefined when nobody listens there, or nobody who understands us. */
export async function findKeeper(place: RuntimePlace): Promise<KeeperClient | undefined> {
  const socket = await dial(place.socket);
  if (socket === undefined) return undefined;
  const client = new KeeperClient(socket, place);
  if (await client.isGreeted()) return client;
  client.disconnect();
  return undefined;
}

async function dial(path: string): Promise<Socket | undefined> {
  const socket = connect({ path });
  try {
    await once(socket, "connect");
    return socket;
  } catch (error) {
    socket.destroy();
    if (hasErrorCode(error, "ENOENT", "ECONNREFUSED", "ENOTSOCK", "EPROTOTYPE")) return undefined;
    throw error;
  }
}

async function failAfter(ms: number, answered: AbortSignal): Promise<never> {
  await sleep(ms, answered);
  throw keeperSilent();
}
