import { messageOf, Problem } from "../../base/problem.ts";
import type { WireRoute } from "../../database/database.ts";
import type { Engine } from "../../engine/engine.ts";
import { findAddress, findAddressBelow, formatHost } from "../../environment/address.ts";
import type { LogLine, ProcessState } from "../../environment/environment.ts";
import type { Target, TargetState } from "../../gateway/gateway.ts";
import { readLog } from "../../runtime/runtime.ts";

/** As many as a page shows without scrolling far. */
const LAST_LINES = 30;

type Live = ReturnType<Engine["registry"]["require"]>;

/** Whose a host name is, below `localhost` or a domain of the user's own, and what its process does just now. */
export function findTarget(
  engine: Engine,
  hostname: string,
  domain: string | null = null,
): Target | undefined {
  const below = domain === null ? undefined : findAddressBelow(domain, hostname);
  const address = below ?? findAddress(hostname);
  const live =
    address === undefined ? undefined : engine.registry.find(address.app, address.environment);
  if (address === undefined || live === undefined) return undefined;
  const process = address.process;
  if (process !== null && !live.processes().some(({ name }) => name === process) && live.isUp())
    return undefined;
  return targetOf(live, process);
}

/** @param process null: its main one */
export function targetOf(live: Live, process: string | null): Target {
  return {
    label: labelOf(live, process),
    state: () => describeTarget(live, process),
    wake: () => {
      // What fails is among the environment's problems, which the next look at its state shows.
      live.wake().catch((error: unknown) => live.note(`could not be woken: ${messageOf(error)}`));
    },
    occupy: () => live.usage.serve(),
    touch: () => live.usage.touch(),
    stir: () => live.usage.stir(),
    note: (access) => live.requests.note(access),
    report: (problem) =>
      live.requests.report(process ?? live.manifests.mainProcess() ?? "", problem),
    lastLines: async () => readLastLines(live, process),
    changed: async (signal) => nextChange(live, signal),
  };
}

function labelOf({ record }: Live, process: string | null): string {
  const { app, name: environment } = record;
  return formatHost({ app, environment, process }).replace(/\.localhost$/, "");
}

/** The database of the environment whose id a client gives as its user name. */
export function findWireRoute(engine: Engine, user: string): WireRoute | undefined {
  const live = engine.registry.findById(user);
  if (live === undefined || live.record.database === null) return undefined;
  const { name } = live.record.database;
  return {
    open: async () => ({ socket: await live.openDatabase(), database: name }),
    touch: () => live.usage.touch(),
  };
}

function describeTarget(live: Live, process: string | null): TargetState {
  const [problem] = live.problems();
  const state = live.state();
  if (state === "broken" && problem !== undefined) return { kind: "unavailable", problem };
  if (state === "creating" || live.isWaking()) return { kind: "starting" };
  if (state === "asleep") return describeAsleep(live);
  const wanted = process ?? live.manifests.mainProcess();
  const found = live.processes().find(({ name }) => name === wanted);
  return found === undefined
    ? { kind: "unavailable", problem: noProcess(live).toFields() }
    : describeProcess(live, found);
}

/** A wake that has just failed is told; later requests try again. */
function describeAsleep(live: Live): TargetState {
  const problem = live.wakeFailure.freshProblem();
  return problem === undefined ? { kind: "asleep" } : { kind: "unavailable", problem };
}

function describeProcess(live: Live, { state, port, problem }: ProcessState): TargetState {
  if (state === "ready" && port !== null) return { kind: "ready", port, inlet: live.inlet(port) };
  if (problem !== null && state !== "starting") return { kind: "unavailable", problem };
  return { kind: "starting" };
}

/** Of a preparation that failed, the problem itself says what it printed. */
async function readLastLines(live: Live, process: string | null): Promise<readonly LogLine[]> {
  const name = process ?? live.manifests.mainProcess();
  if (live.state() === "broken" || name === undefined) return [];
  const lines = await readLog(live.logs, { process: name, last: LAST_LINES });
  return lines.slice(Math.max(0, lines.findLastIndex(isStart)));
}

/** What a process printed before it was last started is of no concern. */
function isStart({ stream, text }: LogLine): boolean {
  return stream === "ramet" && text.startsWith("starts: ");
}

async function nextChange(live: Live, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const forget = live.onChange(resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
  forget();
}

function noProcess(live: Live): Problem {
  return new Problem({
    code: "process_none",
    message: `${live.record.name} has no process that answers requests.`,
    remedy: 'Give one a port in ramet.json: "processes".',
  });
}
