import { once } from "node:events";
import { chmod, rm, stat } from "node:fs/promises";
import { type Server, type Socket, createServer } from "node:net";

import { pause, rest } from "../base/clock.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { Problem, type ProblemFields, hasErrorCode, messageOf } from "../base/problem.ts";
import { processUnknown } from "../environment/problems.ts";
import { findOwnChannel } from "../process/process.ts";
import { RunningSteps } from "./running-steps.ts";
import { handOver } from "./sockets/hand-over.ts";
import type { StepResult } from "./step.ts";
import { Supervisor } from "./supervisor.ts";
import {
  type KeeperCommand,
  type KeeperEvent,
  WIRE_VERSION,
  parseCommand,
  receive,
  send,
} from "./wire.ts";

/** How often it looks whether its socket, by which alone it can be found, is still there. */
const LOOK_EVERY_MS = 3_000;
const MAX_CLIENTS = 64;
/** Servers count idleness in minutes. */
const TELL_USE_AFTER_MS = 500;
const NEVER = new AbortController().signal;

/** The keeper's whole life, until it is told to stop or can no longer be found; then its processes are ended. */
export async function runKeeper(
  socket: string,
  network: { readonly hasOwnNetwork: boolean },
): Promise<number> {
  const server = createServer();
  server.maxConnections = MAX_CLIENTS;
  const keeper = new Keeper(network);
  // Before it listens: a connection that came too early would never be greeted.
  server.on("connection", (client) => keeper.welcome(client));
  const channel = findOwnChannel();
  if (channel !== undefined) handOver(channel, () => keeper.stir());
  const identity = await listenPrivately(server, socket);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => keeper.leave());
  process.on("SIGHUP", () => {
    // Whoever started us has closed a terminal: that is the very thing we outlive.
  });
  await Promise.race([keeper.left, untilReplaced(socket, identity, keeper.left)]);
  const code = await keeper.end();
  server.close();
  if ((await identify(socket)) === identity) await rm(socket, { force: true });
  return code;
}

type Outcome = { readonly problem: ProblemFields | null; readonly result: StepResult | null };
type Asker = { readonly client: Socket; readonly steps: RunningSteps };
type StepCommand = Extract<KeeperCommand, { kind: "step" }>;

class Keeper {
  readonly left: Promise<void>;
  readonly leave: () => void;
  readonly #clients = new Map<Socket, RunningSteps>();
  readonly #lock = new KeyedLock();
  readonly #greeting: Omit<Extract<KeeperEvent, { kind: "states" }>, "processes" | "isFrozen">;
  #supervisor:
    | { readonly supervisor: Supervisor; readonly logs: string; readonly mark: string }
    | undefined;
  #willTell = false;
  #willTellUse = false;

  constructor({ hasOwnNetwork }: { readonly hasOwnNetwork: boolean }) {
    this.#greeting = {
      kind: "states",
      version: WIRE_VERSION,
      hasOwnNetwork,
      canFreeze: true,
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.left = promise;
    this.leave = resolve;
  }

  welcome(client: Socket): void {
    const steps = new RunningSteps();
    this.#clients.set(client, steps);
    client.once("close", () => {
      this.#clients.delete(client);
      // Nobody is left who would do anything with what they come to.
      void steps.end();
    });
    receive(client, parseCommand, (command) => void this.#obey({ client, steps }, command));
    this.#tell([client]);
  }

  /** Somebody comes to its processes. */
  stir(): void {
    this.#supervisor?.supervisor.stillness.stir();
  }

  /** @returns the exit code */
  async end(): Promise<number> {
    this.stir();
    const { problem } = await this.#inTurn(() => this.#stop());
    for (const client of this.#clients.keys()) client.end();
    return problem === null ? 0 : 1;
  }

  async #obey({ client, steps }: Asker, command: KeeperCommand): Promise<void> {
    const outcome = await this.#perform(steps, command);
    this.#tell([client]);
    send(client, { kind: "done", id: command.id, ...outcome });
    if (command.kind === "stop") this.leave();
  }

  /** One command after another, but for steps, which take long. */
  #perform(steps: RunningSteps, command: KeeperCommand): Promise<Outcome> {
    if (command.kind !== "freeze") this.stir();
    switch (command.kind) {
      case "freeze":
        return this.#inTurn(async () => this.#supervisor?.supervisor.stillness.begin());
      case "thaw":
        return solve(() => undefined);
      case "apply":
        return this.#inTurn(() => this.#require(command).apply(command.plan));
      case "restart":
        return this.#inTurn(() => this.#restart(command.name));
      case "step":
        return solve(() => this.#step(steps, command));
      case "cancel":
        return solve(() => steps.cancel(command.step));
      case "stop":
      default:
        return this.#inTurn(() => this.#stop());
    }
  }

  async #restart(name: string): Promise<void> {
    if (this.#supervisor === undefined) throw processUnknown(name, []);
    await this.#supervisor.supervisor.restart(name);
  }

  async #step(steps: RunningSteps, command: StepCommand): Promise<StepResult> {
    const { id, step, logs } = command;
    await this.#lock.run("command", async () => {
      const supervisor = this.#require(command);
      await supervisor.openRelays(step.relays);
      if (step.wayOut !== null) await supervisor.openWayOut(step.wayOut);
    });
    return steps.run(id, step, logs);
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((steps) => steps.end()));
    await this.#supervisor?.supervisor.stop();
  }

  /** Where the environment lives comes with its first plan, and stays. */
  #require({ logs, mark }: { readonly logs: string; readonly mark: string }): Supervisor {
    this.#supervisor ??= {
      logs,
      mark,
      supervisor: new Supervisor({
        logs,
        mark,
        onChange: () => this.#tellSoon(),
        onUse: () => void this.#tellUse(),
      }),
    };
    if (this.#supervisor.logs !== logs || this.#supervisor.mark !== mark) {
      throw new Error(`This keeper belongs to ${this.#supervisor.mark}.`);
    }
    return this.#supervisor.supervisor;
  }

  #inTurn(work: () => Promise<void>): Promise<Outcome> {
    return this.#lock.run("command", () => solve(work));
  }

  /** Many changes at a stroke are told once. */
  #tellSoon(): void {
    if (this.#willTell) return;
    this.#willTell = true;
    queueMicrotask(() => {
      this.#willTell = false;
      this.#tell(this.#clients.keys());
    });
  }

  /** A little later, for all that is asked meanwhile. */
  async #tellUse(): Promise<void> {
    if (this.#willTellUse) return;
    this.#willTellUse = true;
    await rest(TELL_USE_AFTER_MS, NEVER);
    this.#willTellUse = false;
    for (const client of this.#clients.keys()) send(client, { kind: "used" });
  }

  #tell(clients: Iterable<Socket>): void {
    const processes = this.#supervisor?.supervisor.states() ?? [];
    const isFrozen = this.#supervisor?.supervisor.stillness.isStill() ?? false;
    for (const client of clients) send(client, { ...this.#greeting, processes, isFrozen });
  }
}

/** What fails is the asker's business and must not end the keeper. */
async function solve(work: () => Promise<StepResult | void> | void): Promise<Outcome> {
  try {
    return { problem: null, result: (await work()) ?? null };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toFields(), result: null };
    const remedy = "This is a bug of Ramet: please report it.";
    return { problem: { code: "keeper_bug", message: messageOf(error), remedy }, result: null };
  }
}

/** @returns what tells this very socket from another at its path */
async function listenPrivately(server: Server, socket: string): Promise<string | undefined> {
  const umask = process.umask(0o177);
  try {
    server.listen(socket);
    await once(server, "listening");
  } finally {
    process.umask(umask);
  }
  await chmod(socket, 0o600);
  return identify(socket);
}

async function identify(socket: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtimeMs } = await stat(socket);
    return `${dev}:${ino}:${birthtimeMs}`;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

async function untilReplaced(
  socket: string,
  identity: string | undefined,
  left: Promise<void>,
): Promise<void> {
  const done = new AbortController();
  void left.then(() => done.abort());
  while (!done.signal.aborted && (await identify(socket)) === identity)
    await pause(LOOK_EVERY_MS, done.signal);
}
