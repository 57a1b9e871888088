import { formatBytes } from "../../base/bytes.ts";
import type { EnvironmentUse } from "../../protocol/schemas.ts";
import { cutTo, formatAge } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { markState } from "./environment-text.ts";
import { formatPressure } from "./pressure-text.ts";
import { formatTable } from "./table.ts";
import { titleOf } from "./title.ts";

/** A line for each environment, and a sum; the most active first. */
export function formatUses(uses: readonly EnvironmentUse[], style: Style): string {
  const hasApps = new Set(uses.map(({ app }) => app)).size > 1;
  const hasPressure = uses.some(({ pressure }) => pressure !== null);
  const columns = [
    { title: "  ENVIRONMENT" },
    { title: "STATE" },
    { title: "CPU" },
    { title: "MEMORY" },
    { title: "REQ/S", isOptional: true },
    { title: "USED", isOptional: true },
    { title: "PROCESSES", isOptional: true },
    { title: "DATABASE", isOptional: true },
    { title: "CONNECTIONS", isOptional: true },
    ...(hasPressure ? [{ title: "WAITS", isOptional: true }] : []),
  ];
  const rows = sortUses(uses).map((use) => [
    markState(use.state, hasApps ? titleOf(use) : use.name, style),
    use.state,
    formatCpu(use.cpu),
    orDash(use.memoryBytes, formatBytes),
    orDash(use.requestsPerSecond, formatRate),
    `${formatAge(use.usedAt, style.now)} ago`,
    orDash(use.processes, String),
    orDash(use.databaseBytes, formatBytes),
    orDash(use.connections, String),
    ...(hasPressure ? [formatPressure(use.pressure)] : []),
  ]);
  return [formatSum(uses, style), formatTable(columns, rows, style)].join("\n");
}

/** Those that take something before those that rest, each by when it was used last. */
export function sortUses(uses: readonly EnvironmentUse[]): readonly EnvironmentUse[] {
  return uses.toSorted(
    (one, other) =>
      rank(one) - rank(other) ||
      other.cpu - one.cpu ||
      other.usedAt.localeCompare(one.usedAt) ||
      one.name.localeCompare(other.name),
  );
}

function rank({ state }: EnvironmentUse): number {
  const ranks: readonly EnvironmentUse["state"][] = ["broken", "creating", "awake", "frozen"];
  return ranks.includes(state) ? ranks.indexOf(state) : ranks.length;
}

function formatSum(uses: readonly EnvironmentUse[], { paint, columns }: Style): string {
  const states = Map.groupBy(uses, ({ state }) => state);
  const counts = [...states].map(([state, all]) => `${all.length} ${state}`);
  const memory = uses.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const cpu = uses.reduce((sum, use) => sum + use.cpu, 0);
  const sums = `${formatCpu(cpu)} of a processor, ${formatBytes(memory)} of memory`;
  return paint("dim", cutTo(`${counts.join(", ")}: ${sums}`, columns));
}

/** Of one processor. */
function formatCpu(cpu: number): string {
  return cpu === 0 ? "–" : `${Math.round(cpu * 100)} %`;
}

function formatRate(rate: number): string {
  return rate >= 10 ? String(Math.round(rate)) : rate.toFixed(1);
}

function orDash(figure: number | null, format: (figure: number) => string): string {
  return figure === null || figure === 0 ? "–" : format(figure);
}
