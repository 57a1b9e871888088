import { Problem } from "../base/problem.ts";
import type { ProblemFields } from "../base/problem.ts";
import type {
  EnvironmentRecord,
  EnvironmentState,
  FilesRecord,
  ProcessStateName,
} from "../environment/environment.ts";
import type { Manifest } from "../environment/manifest.ts";
import { filesShared, migrationsMissing } from "../environment/problems.ts";
import type { LiveEnvironment } from "./live/live-environment.ts";
import type { Fronts, Ways } from "./machine/context.ts";
import { keptUntilMs } from "./parts/generations.ts";
import { stillMissing } from "./parts/missing-migrations.ts";
import type { LimitsView } from "./processes/limiting.ts";
import { findMainProcess, formatUrl } from "./processes/process-plans.ts";
import type { StandbyView } from "./standbys/standby.ts";

/** An environment as people and programs are shown it. */
export type Environment = {
  readonly id: string;
  readonly app: string;
  readonly name: string;
  readonly state: EnvironmentState;
  readonly parent: string | null;
  readonly url: string | null;
  /** Below a domain of the user's own. */
  readonly domainUrl: string | null;
  readonly databaseUrl: string | null;
  /** Plain ports of the machine that lead to it. */
  readonly fronts: Fronts["fronts"];
  readonly files: FilesRecord;
  readonly processes: {
    name: string;
    state: ProcessStateName;
    port: number | null;
    pid: number | null;
  }[];
  /** `isolated (bubblewrap)` and by what, or `ports: ` and why no more; null where it is not known yet. */
  readonly isolation: string | null;
  /** What its processes may take of the machine; null where its manifest cannot be read. */
  readonly limits: LimitsView | null;
  readonly problems: ProblemFields[];
  readonly ownBytes: number | null;
  readonly standbys: readonly StandbyView[];
  readonly createdAt: string;
  /** When it was used last. */
  readonly usedAt: string;
  /** When it falls asleep if nobody uses it; null: not by itself, or it sleeps. */
  readonly sleepsAt: string | null;
  readonly replacedUntil: string | null;
};

const HAS_ADDRESSES: ReadonlySet<EnvironmentState> = new Set([
  "awake",
  "frozen",
  "asleep",
  "broken",
]);

/** What belongs to an environment, or concerns it, and is not its own. */
export type Surroundings = {
  readonly gatewayPort: number;
  /** The environments that run on the same folder. */
  readonly others: readonly string[];
  readonly ownBytes: number | null;
  readonly standbys: readonly StandbyView[];
} & Ways;

export async function describeEnvironment(
  live: LiveEnvironment,
  { gatewayPort, others, ownBytes, standbys, fronts, frontProblems, domain }: Surroundings,
): Promise<Environment> {
  const { record } = live;
  const manifest = await findReadable(live);
  const hasAddresses = HAS_ADDRESSES.has(live.state());
  const hasUrl = hasAddresses && manifest !== undefined && findMainProcess(manifest) !== undefined;
  const shared = others.length === 0 ? [] : [filesShared(record.files.path, others).toFields()];
  return {
    id: record.id,
    app: record.app,
    name: record.name,
    state: live.state(),
    parent: record.parent,
    url: hasUrl ? formatUrl(record, null, gatewayPort) : null,
    domainUrl: hasUrl && domain !== null ? formatUrlBelow(domain, record) : null,
    databaseUrl: hasAddresses ? live.facts.databaseUrl() : null,
    fronts,
    files: record.files,
    processes: live.processes().map(({ name, state, port, pid }) => ({ name, state, port, pid })),
    isolation: manifest === undefined ? null : await findIsolation(live, manifest),
    limits: manifest === undefined ? null : findLimits(live, manifest),
    problems: uniqueProblems([
      ...live.problems(),
      ...frontProblems,
      ...shared,
      ...(await stillMissing(live)).map((missing) => migrationsMissing(missing).toFields()),
    ]),
    ownBytes,
    standbys: [...standbys],
    createdAt: record.createdAt,
    usedAt: live.usage.lastTime(),
    sleepsAt: findSleepTime(live),
    replacedUntil: formatKept(keptUntilMs(record)),
  };
}

/** Whoever brings its requests here decides about the port. */
function formatUrlBelow(
  domain: string,
  { app, name }: Pick<EnvironmentRecord, "app" | "name">,
): string {
  return `https://${app}--${name}.${domain}`;
}

function findSleepTime(live: LiveEnvironment): string | null {
  const atMs = live.resting.sleepsAtMs();
  return atMs === null ? null : new Date(atMs).toISOString();
}

/** A manifest that cannot be read shows among the problems of the next wake; the environment is listed all the same. */
async function findReadable(live: LiveEnvironment): Promise<Manifest | undefined> {
  try {
    return await live.manifests.recall();
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

function findLimits(live: LiveEnvironment, manifest: Manifest): LimitsView {
  return live.facts.describeLimits(manifest, live.usage.sample.pressure);
}

/** One that asks for what this machine cannot give says so among its problems, and has none. */
async function findIsolation(live: LiveEnvironment, manifest: Manifest): Promise<string | null> {
  try {
    return await live.facts.describeIsolation(manifest);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

/** An environment that is still being built: what is known of it already. */
export function describeDraft(
  draft: Pick<EnvironmentRecord, "id" | "app" | "name" | "parent" | "files" | "createdAt">,
): Environment {
  return {
    id: draft.id,
    app: draft.app,
    name: draft.name,
    state: "creating",
    parent: draft.parent,
    url: null,
    domainUrl: null,
    databaseUrl: null,
    fronts: [],
    files: draft.files,
    processes: [],
    isolation: null,
    limits: null,
    problems: [],
    ownBytes: null,
    standbys: [],
    createdAt: draft.createdAt,
    usedAt: draft.createdAt,
    sleepsAt: null,
    replacedUntil: null,
  };
}

function formatKept(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}

function uniqueProblems(problems: readonly ProblemFields[]): ProblemFields[] {
  return [
    ...new Map(problems.map((problem) => [`${problem.code} ${problem.message}`, problem])).values(),
  ];
}
