import type { EnvironmentState } from "../../environment/environment.ts";
import type { Pressure } from "../../limits/limits.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";

/** What an environment takes of the machine, its database included. */
export type EnvironmentUse = {
  readonly id: string;
  readonly app: string;
  readonly name: string;
  readonly state: EnvironmentState;
  /** Processors' worth of time. */
  readonly cpu: number;
  /** What is its processes' own alone. */
  readonly memoryBytes: number;
  readonly processes: number;
  readonly requestsPerSecond: number;
  /** null: its database does not run, or it has none. */
  readonly databaseBytes: number | null;
  readonly connections: number | null;
  /** Parts of the last ten seconds in which its processes waited; null: the machine does not tell. */
  readonly pressure: Pressure | null;
  /** ISO 8601 UTC. */
  readonly usedAt: string;
};

export async function describeUse(live: LiveEnvironment): Promise<EnvironmentUse> {
  const { id, app, name } = live.record;
  const { cpu, memoryBytes, processes, requestsPerSecond, pressure } = live.usage.sample;
  const census = live.isUp() ? await live.takeCensus() : null;
  return {
    id,
    app,
    name,
    state: live.state(),
    cpu: round(cpu),
    memoryBytes,
    processes,
    requestsPerSecond: round(requestsPerSecond),
    databaseBytes: census?.bytes ?? null,
    connections: census?.connections ?? null,
    pressure,
    usedAt: live.usage.lastTime(),
  };
}

/** To a hundredth. */
function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
