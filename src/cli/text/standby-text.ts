import { formatBytes } from "../../base/bytes.ts";
import type { EnvironmentView } from "../../protocol/schemas.ts";

type StandbyView = EnvironmentView["standbys"][number];

/** `following: 1.0 GB of disk, 21 MB of memory, 1 MB of WAL kept` */
export function formatStandby({ state, diskBytes, memoryBytes, walBytes }: StandbyView): string {
  if (state === "building") return state;
  const costs = [`${formatBytes(diskBytes)} of disk`, `${formatBytes(memoryBytes)} of memory`];
  return `${state}: ${[...costs, `${formatBytes(walBytes)} of WAL kept`].join(", ")}`;
}

/** Of one environment, in a cell: `1.0 GB`, or `2 × 1.0 GB`. */
export function formatStandbys(standbys: readonly StandbyView[]): string {
  const [first] = standbys;
  if (first === undefined) return "–";
  const count = standbys.length === 1 ? "" : `${standbys.length} × `;
  return count + (first.state === "building" ? first.state : formatBytes(first.diskBytes));
}
