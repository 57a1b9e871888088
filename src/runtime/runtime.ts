/** An environment's processes: kept by a small program of their own that outlives the server, and their logs. */
import type { Clock } from "../base/clock.ts";
import { ownProgram } from "../base/own-program.ts";
import type { LogLine, ProcessState } from "../environment/environment.ts";
import type { RuntimePlace, SystemUser } from "../environment/places.ts";
import type { Launch, TalkingProgram } from "../process/process.ts";
import * as accessing from "./access-log.ts";
import * as bounding from "./bounds.ts";
import { type KeeperClient, findKeeper } from "./client.ts";
import * as logging from "./logs.ts";
import type * as planning from "./plan.ts";
import { describe } from "./sandbox/describe.ts";
import * as detecting from "./sandbox/detect.ts";
import * as entering from "./sandbox/enter.ts";
import * as narrow from "./sandbox/plan-narrow.ts";
import * as sandboxes from "./sandbox/plan-sandbox.ts";
import type * as sandbox from "./sandbox/sandbox.ts";
import { type Dialled as Dialling, HandedOver } from "./sockets/hand-over.ts";
import { clearLeftovers, startKeeper } from "./start.ts";
import type * as stepping from "./step.ts";
import { FolderWatch, type WatchOptions } from "./watch-folder.ts";
import * as dialerStart from "./way-out/start-dialer.ts";
import type { DialerPlace } from "./way-out/start-dialer.ts";

export type ProcessPlan = planning.ProcessPlan;
export type RuntimePlan = planning.RuntimePlan;
export type StepPlan = planning.StepPlan;
export type StepResult = stepping.StepResult;
export type Access = accessing.Access;
export type AccessLog = accessing.AccessLog;
export type Bounds = bounding.Bounds;
export type Isolation = detecting.Isolation;
export type Sandbox = sandbox.Sandbox;
export type Dialled = Dialling;
export type Network = { readonly hasOwnNetwork: boolean };

export type KeeperStart = Network & {
  /** What is run in a keeper's place, the socket's path appended. */
  readonly program?: readonly string[];
  /** It hands connections into its network over to us, as long as we live: for one that nobody else can make do what he wants. */
  readonly handsOver?: boolean;
  /** Called with its pid before anything else of the environment is started. */
  readonly onStarted?: (pid: number) => Promise<void>;
};

/** What each program is bound by where nobody says more. */
export const USUAL_BOUNDS: Bounds = bounding.USUAL_BOUNDS;

/** How to run them: the socket's path is appended. A build makes one file of each, which starts in half the time. */
const KEEPER_PROGRAM = ownProgram(import.meta.filename, "keeper-program");
const DIALER_PROGRAM = ownProgram(import.meta.filename, "dialer-program");

/** A server's connection to the keeper of one environment. */
export type Runtime = Network & {
  /** As the keeper told them last. */
  processes(): readonly ProcessState[];
  /** Starts what is new, stops what is gone, restarts what changed, leaves the rest alone. @throws `relay_port_taken` */
  apply(plan: RuntimePlan): Promise<void>;
  /** @throws `process_unknown` */
  restart(name: string): Promise<void>;
  /**
   * Runs a command to its end, its lines go to `<logs>/<name>.jsonl` too.
   * @throws `step_timed_out`, `program_failed`, or the signal's reason, once the command's group is gone
   */
  step(step: StepPlan, signal: AbortSignal): Promise<StepResult>;
  /** A connection to a port in its network, which is then ours alone; only of a keeper that this server has started. */
  dial(port: number): Promise<Dialled>;
  /** Whether its processes are held still in memory. */
  isFrozen(): boolean;
  /** Holds them still, unless somebody needs them; whoever comes to one of their ports sets them going again. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Resolves when none is `starting`: each is ready, waits, failed, or has ended once; or when the time is over. */
  settled(options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<readonly ProcessState[]>;
  /** @returns how to stop listening */
  onChange(listener: () => void): () => void;
  /** Calls back when a process asks its database for more than what keeps a connection; twice a second at most. */
  onUse(listener: () => void): void;
  /** Ends every process, also those that left their group, and the keeper. */
  stop(): Promise<void>;
  /** Whether nothing can be asked of it any more. */
  isGone(): boolean;
  /** Resolves when the keeper has gone, for whatever reason; not after `disconnect`. */
  readonly closed: Promise<void>;
  /** Leaves it running. */
  disconnect(): void;
};

/**
 * Starts a keeper, after ending whatever was left of this environment's processes.
 * @throws `keeper_failed`
 */
export async function startRuntime(place: RuntimePlace, start: KeeperStart): Promise<Runtime> {
  await clearLeftovers(place);
  return startFirstRuntime(place, start);
}

/** The same for an environment of which nothing can be left: it is just being made, or its last keeper was stopped. */
export async function startFirstRuntime(place: RuntimePlace, start: KeeperStart): Promise<Runtime> {
  const launch = { program: KEEPER_PROGRAM, handsOver: false, ...start };
  const { client, channel } = await startKeeper(place, launch);
  return toRuntime(place, client, channel === null ? null : new HandedOver(channel));
}

/** The keeper that is there already, also one that another server started. */
export async function findRuntime(place: RuntimePlace): Promise<Runtime | undefined> {
  const client = await findKeeper(place);
  return client === undefined ? undefined : toRuntime(place, client, null);
}

export function readLog(logs: string, options: logging.LogQuestion): Promise<readonly LogLine[]> {
  return logging.readLastLines(logs, options);
}

/** The last lines, then each that is added; ends when the signal is aborted. */
export function followLog(
  logs: string,
  options: logging.LogQuestion & { readonly signal: AbortSignal },
): AsyncIterable<LogLine> {
  return logging.follow(logs, options);
}

/** The log of what clients ask of an environment. `folder` is made inside one that must be there. */
export function openAccessLog(folder: string, clock: Clock): AccessLog {
  return new accessing.AccessLog(folder, clock);
}

/** Starts whoever dials for those in networks of their own, where he is not there. @throws `way_out_missing` */
export function requireDialer(place: DialerPlace): Promise<void> {
  return dialerStart.requireDialer(place, DIALER_PROGRAM);
}

/** Tells what changes in a tree, 100 ms after it does. @throws `too_many_folders`, `watch_limit_reached` */
export function watchFolder(folder: string, options: WatchOptions): { close(): void } {
  return new FolderWatch(folder, options);
}

/** Whether processes of this user can be sealed off on this machine: tried out. */
export function detectIsolation(user: SystemUser | null): Promise<Isolation> {
  return detecting.detectIsolation(user);
}

/** One line for people and programs. */
export function describeIsolation(isolation: Isolation): string {
  return describe(isolation);
}

/** What processes see of the machine, and at which path. */
export function planSandbox(facts: sandboxes.SandboxFacts): Promise<Sandbox> {
  return sandboxes.planSandbox(facts);
}

/** What a program of ours sees that works on one folder alone. */
export function planNarrowSandbox(facts: narrow.NarrowFacts): Promise<Sandbox> {
  return narrow.planNarrowSandbox(facts);
}

/** Starts a program of ours inside, which is spoken to; null: where it sees all of the machine. */
export function startTalkingIn(sandbox: Sandbox | null, launch: Launch): Promise<TalkingProgram> {
  return entering.startTalkingIn(sandbox, launch);
}

function toRuntime(
  place: RuntimePlace,
  client: KeeperClient,
  handedOver: HandedOver | null,
): Runtime {
  return {
    processes: () => client.processes(),
    hasOwnNetwork: client.hasOwnNetwork,
    step: (step, signal) => client.step(step, signal),
    apply: (plan) => client.apply(plan),
    restart: (name) => client.restart(name),
    dial: async (port) => handedOver?.dial(port) ?? { kind: "unavailable" },
    isFrozen: () => client.isFrozen(),
    freeze: () => client.freeze(),
    thaw: () => client.thaw(),
    settled: (options) => client.settled(options),
    onChange: (listener) => client.onChange(listener),
    onUse: (listener) => client.onUse(listener),
    isGone: () => client.isGone(),
    closed: client.closed,
    disconnect: () => {
      handedOver?.close();
      client.disconnect();
    },
    stop: async () => {
      // A keeper that is gone or does not answer is ended with its processes below.
      await client.stop().catch(() => undefined);
      await clearLeftovers(place);
    },
  };
}
