/** An environment's processes: kept by a small program of their own that outlives the server, and their logs. */
import type { LogLine, ProcessState } from "../environment/environment.ts";
import type { RuntimePlace } from "../environment/places.ts";
import { type KeeperClient, findKeeper } from "./client.ts";
import { runKeeper } from "./keeper.ts";
import * as logging from "./logs.ts";
import type * as planning from "./plan.ts";
import { clearLeftovers, startKeeper } from "./start.ts";
import { type Step, type StepResult, performStep } from "./step.ts";
import { FolderWatch, type WatchOptions } from "./watch-folder.ts";

export type ProcessPlan = planning.ProcessPlan;
export type RuntimePlan = planning.RuntimePlan;

/** A server's connection to the keeper of one environment. */
export type Runtime = {
  /** As the keeper told them last. */
  processes(): readonly ProcessState[];
  /** Starts what is new, stops what is gone, restarts what changed, leaves the rest alone. @throws `relay_port_taken` */
  apply(plan: RuntimePlan): Promise<void>;
  /** @throws `process_not_planned` */
  restart(name: string): Promise<void>;
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
  /** Resolves when the keeper has gone, for whatever reason; not after `disconnect`. */
  readonly closed: Promise<void>;
  /** Leaves it running. */
  disconnect(): void;
};

/**
 * Starts a keeper, after ending whatever was left of this environment's processes.
 * @param program how to run it; the socket's path is appended
 * @throws `keeper_failed`
 */
export async function startRuntime(
  place: RuntimePlace,
  program: readonly string[],
): Promise<Runtime> {
  await clearLeftovers(place);
  return startFirstRuntime(place, program);
}

/** The same for an environment that is just being made: nothing can be left of it. */
export async function startFirstRuntime(
  place: RuntimePlace,
  program: readonly string[],
): Promise<Runtime> {
  return toRuntime(place, await startKeeper(place, program));
}

/** The keeper that is there already, also one that another server started. */
export async function findRuntime(place: RuntimePlace): Promise<Runtime | undefined> {
  const client = await findKeeper(place);
  return client === undefined ? undefined : toRuntime(place, client);
}

/** Runs a command to its end, its lines go to `<logs>/<name>.jsonl` too. @throws `step_timed_out`, `program_failed` */
export function runStep(step: Step): Promise<StepResult> {
  return performStep(step);
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

/** The keeper's whole life; resolves with its exit code. */
export function keep(socket: string): Promise<number> {
  return runKeeper(socket);
}

/** Tells what changes in a tree, 100 ms after it does. @throws `too_many_folders`, `watch_limit_reached` */
export function watchFolder(folder: string, options: WatchOptions): { close(): void } {
  return new FolderWatch(folder, options);
}

function toRuntime(place: RuntimePlace, client: KeeperClient): Runtime {
  return {
    processes: () => client.processes(),
    apply: (plan) => client.apply(plan),
    restart: (name) => client.restart(name),
    settled: (options) => client.settled(options),
    onChange: (listener) => client.onChange(listener),
    onUse: (listener) => client.onUse(listener),
    closed: client.closed,
    disconnect: () => client.disconnect(),
    stop: async () => {
      // A keeper that is gone or does not answer is ended with its processes below.
      await client.stop().catch(() => undefined);
      await clearLeftovers(place);
    },
  };
}
