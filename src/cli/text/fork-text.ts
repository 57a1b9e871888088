import { formatBytes } from "../../base/bytes.ts";
import type { CreatedEnvironment } from "../../protocol/schemas.ts";
import { formatMs, wrap } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";

type DatabaseFork = NonNullable<CreatedEnvironment["databaseFork"]>;

/** A quicker way is worth a line where somebody has waited. */
const LONG_MS = 500;

/** How a fork came by its database. Nothing for one that is no fork. */
export function formatFork(fork: DatabaseFork | null, style: Style): readonly string[] {
  if (fork === null) return [];
  const why = fork.why === null ? "" : `: ${fork.why}`;
  return [dim(`  database ${formatWay(fork)}${why}`, style)];
}

/** What would have helped those of them that took long; said once. */
export function formatRemedies(
  forks: readonly (DatabaseFork | null)[],
  style: Style,
): readonly string[] {
  const long = forks.filter((fork) => fork !== null && fork.ms >= LONG_MS);
  const remedies = new Set(long.flatMap((fork) => fork?.remedy ?? []));
  return [...remedies].map((remedy) => dim(`  → ${remedy}`, style));
}

function dim(line: string, style: Style): string {
  return style.paint("dim", wrap(line, style.columns - 5, "    "));
}

function formatWay({ way, bytes, ms }: DatabaseFork): string {
  const size = bytes === null ? "" : ` ${formatBytes(bytes)}`;
  const after = ` after ${formatMs(ms)}`;
  if (way === "reflink") return `shares${size} with its source,${after}`;
  if (way === "standby") return `was a standby, promoted${after}`;
  if (way === "copy") return `was copied,${size}${after}`;
  return "is empty: nothing of its source's was asked for";
}
