import { formatBytes } from "../../base/bytes.ts";
import type { CreatedEnvironment, EnvironmentView } from "../../protocol/schemas.ts";
import { formatAge, formatLeft, padTo } from "../terminal/style.ts";
import type { Paint, Style } from "../terminal/style.ts";
import { formatProblem } from "./failure.ts";
import { formatFork, formatRemedies } from "./fork-text.ts";
import { formatPressure } from "./pressure-text.ts";
import { formatStandby, formatStandbys } from "./standby-text.ts";
import { formatFields, formatTable } from "./table.ts";
import { titleOf } from "./title.ts";

type StandbyView = EnvironmentView["standbys"][number];
type FrontView = EnvironmentView["fronts"][number];
type ProcessView = EnvironmentView["processes"][number];

const STATES: Readonly<Record<EnvironmentView["state"], readonly [symbol: string, paint: Paint]>> =
  {
    creating: ["◌", "yellow"],
    awake: ["●", "green"],
    frozen: ["◍", "cyan"],
    asleep: ["○", "dim"],
    broken: ["✗", "red"],
    deleting: ["◌", "dim"],
  };

const PROCESS_PAINTS: Readonly<Record<ProcessView["state"], Paint>> = {
  starting: "yellow",
  ready: "green",
  waiting: "yellow",
  restarting: "yellow",
  stopped: "dim",
  failed: "red",
};

/** A line for each environment; the app's name only where there are several. `here`: the id of this workspace's. */
export function formatEnvironments(
  environments: readonly EnvironmentView[],
  { here, style }: { readonly here: string | null; readonly style: Style },
): string {
  const hasStandbys = environments.some(({ standbys }) => standbys.length > 0);
  const hasFronts = environments.some(({ fronts }) => fronts.length > 0);
  const hasApps = new Set(environments.map(({ app }) => app)).size > 1;
  const columns = [
    { title: "  ENVIRONMENT" },
    { title: "STATE" },
    { title: "URL", isBelow: true },
    ...(hasFronts ? [{ title: "FRONT" }] : []),
    { title: "OWN", isOptional: true },
    { title: "AGE", isOptional: true },
    { title: "FROM", isOptional: true },
    { title: "USED", isOptional: true },
    { title: "SLEEPS", isOptional: true },
    ...(hasStandbys ? [{ title: "STANDBY", isOptional: true }] : []),
  ];
  const rows = environments.map((environment) => [
    markState(
      environment.state,
      formatName(hasApps ? titleOf(environment) : environment.name, {
        isHere: environment.id === here,
        style,
      }),
      style,
    ),
    environment.state,
    environment.url ?? "–",
    ...(hasFronts ? [formatPorts(environment.fronts)] : []),
    formatOwn(environment),
    formatAge(environment.createdAt, style.now),
    environment.parent ?? "–",
    `${formatAge(environment.usedAt, style.now)} ago`,
    environment.sleepsAt === null ? "–" : `in ${formatLeft(environment.sleepsAt, style.now)}`,
    ...(hasStandbys ? [formatStandbys(environment.standbys)] : []),
  ]);
  return formatTable(columns, rows, style);
}

/** Everything about one environment. */
export function formatEnvironment(environment: EnvironmentView, style: Style): string {
  const { files, parent, createdAt } = environment;
  const title = style.paint("bold", titleOf(environment));
  const origin = parent === null ? "" : `, forked from ${parent}`;
  const fields: (readonly [string, string])[] = [
    ["state", environment.state],
    ["url", environment.url === null ? "–" : style.paint("underline", environment.url)],
    ...(environment.domainUrl === null ? [] : [["also at", environment.domainUrl] as const]),
    ...environment.fronts.map(
      (front) => ["front", `${formatFront(front)} (${front.process})`] as const,
    ),
    ["database", environment.databaseUrl === null ? "–" : maskPassword(environment.databaseUrl)],
    ["files", files.kind === "linked" ? `${files.path} (linked)` : `${files.path} (kept)`],
    ...(environment.isolation === null ? [] : [["isolation", environment.isolation] as const]),
    ...formatLimits(environment.limits),
    ["own", environment.ownBytes === null ? "–" : `${formatOwn(environment)} on disk`],
    ["made", `${formatAge(createdAt, style.now)} ago${origin}`],
    ["used", formatUse(environment, style.now)],
  ];
  if (environment.replacedUntil !== null)
    fields.push([
      "replaced",
      `can be had back until ${formatTime(environment.replacedUntil)}: ramet env reset ${environment.name} --undo`,
    ]);
  return [
    markState(environment.state, title, style),
    formatFields([...fields, ...environment.standbys.map(toField)], style),
    ...formatProcesses(environment.processes, style),
    ...environment.problems.map((problem) => formatProblem(problem, style)),
  ].join("\n");
}

/** Where a port of this machine leads to it. */
export function formatFront({ port }: FrontView): string {
  return `http://localhost:${port}`;
}

function formatPorts(fronts: readonly FrontView[]): string {
  return fronts.length === 0 ? "–" : fronts.map(({ port }) => `:${port}`).join(" ");
}

function formatLimits(limits: EnvironmentView["limits"]): (readonly [string, string])[] {
  if (limits === null) return [];
  const { memoryBytes, cpus, processes, diskBytes, heldBy, pressure } = limits;
  const parts = [
    `${formatBytes(memoryBytes)} of memory`,
    `${cpus} ${cpus === 1 ? "processor" : "processors"}`,
    `${processes} processes`,
    ...(diskBytes === null ? [] : [`${formatBytes(diskBytes)} of disk`]),
  ];
  return [
    ["limits", parts.join(", ")],
    ["held by", heldBy],
    ...(pressure === null ? [] : [["waits", formatPressure(pressure)] as const]),
  ];
}

function formatUse({ usedAt, sleepsAt }: EnvironmentView, now: number): string {
  const used = `${formatAge(usedAt, now)} ago`;
  return sleepsAt === null ? used : `${used}, falls asleep in ${formatLeft(sleepsAt, now)}`;
}

function toField(standby: StandbyView): readonly [string, string] {
  return ["standby", formatStandby(standby)];
}

/** To the minute, as clocks here say it. */
function formatTime(iso: string): string {
  const at = new Date(iso);
  const [date, time] = [at.toLocaleDateString("sv-SE"), at.toLocaleTimeString("sv-SE")];
  return `${date} ${time.slice(0, 5)}`;
}

type Ready = {
  readonly what: string;
  readonly style: Style;
  /** Lines about how it was made. */
  readonly how?: readonly string[];
};

/** The same, of one that was just forked. */
export function formatForked(
  environment: CreatedEnvironment,
  { what, style }: { readonly what: string; readonly style: Style },
): string {
  const { databaseFork: fork } = environment;
  const how = [...formatFork(fork, style), ...formatRemedies([fork], style)];
  return formatReady(environment, { what, style, how });
}

/** What a person needs once an environment was made or started. */
export function formatReady(
  environment: EnvironmentView,
  { what, style, how = [] }: Ready,
): string {
  const { paint } = style;
  if (environment.state === "broken") return formatEnvironment(environment, style);
  const lines = [formatOutcome(environment, { what, style })];
  if (environment.url !== null) lines.push(`  ${paint("underline", environment.url)}`);
  return [
    ...lines,
    ...how,
    ...environment.problems.map((problem) => formatProblem(problem, style)),
  ].join("\n");
}

/** A process that fell at once is seen in the first line, not only below it. */
function formatOutcome(
  environment: EnvironmentView,
  { what, style: { paint } }: { readonly what: string; readonly style: Style },
): string {
  const title = paint("bold", titleOf(environment));
  const fallen = environment.processes.filter(({ state }) => FALLEN.has(state));
  if (fallen.length === 0) return `${paint("green", "✓")} ${title} ${what}`;
  const names = fallen.map(({ name }) => name).join(", ");
  return `${paint("yellow", "!")} ${title} is there, but this does not run: ${names}`;
}

const FALLEN: ReadonlySet<ProcessView["state"]> = new Set(["failed", "restarting"]);

/** Whether something is to be mended before anything else is done with it. */
export function hasProblems({ state, problems }: EnvironmentView): boolean {
  return state === "broken" || problems.length > 0;
}

/** An environment that is broken, or of which nothing runs, has been made, and yet is not what was asked for. */
export function exitCodeOf({ state, processes }: EnvironmentView): number {
  const hasFallen = processes.length > 0 && processes.every((one) => FALLEN.has(one.state));
  return state === "broken" || hasFallen ? 2 : 0;
}

/** A screen is looked at by others; `ramet db url` prints the whole. */
export function maskPassword(url: string): string {
  return url.replace(/^([^:]+:\/\/[^:@/]*):[^@/]*@/, "$1:…@");
}

/** What its removal would free; a fork shares the rest with where it is from. */
function formatOwn({ ownBytes }: EnvironmentView): string {
  return ownBytes === null ? "–" : formatBytes(ownBytes);
}

function formatName(
  name: string,
  { isHere, style }: { readonly isHere: boolean; readonly style: Style },
): string {
  return isHere ? `${style.paint("bold", name)} ${style.paint("dim", "(here)")}` : name;
}

export function markState(state: EnvironmentView["state"], text: string, style: Style): string {
  const [symbol, paint] = STATES[state];
  return `${style.paint(paint, symbol)} ${text}`;
}

function formatProcesses(processes: readonly ProcessView[], style: Style): string[] {
  const nameWidth = Math.max(0, ...processes.map(({ name }) => name.length));
  return processes.map(({ name, state, port, pid }) => {
    const where = [port === null ? "" : `port ${port}`, pid === null ? "" : `pid ${pid}`].filter(
      (part) => part !== "",
    );
    const words = style.paint(PROCESS_PAINTS[state], padTo(state, "restarting".length));
    return `  ${style.paint("dim", "process")}   ${padTo(name, nameWidth)}  ${words}  ${where.join(", ")}`.trimEnd();
  });
}
