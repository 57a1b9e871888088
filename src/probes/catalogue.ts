import { DATABASE } from "./database.ts";
import { FILES } from "./files.ts";
import { KERNEL } from "./kernel.ts";
import { NETWORK } from "./network.ts";
import type { Probe } from "./probe.ts";
import { PROCESSES } from "./processes.ts";
import { SERVER } from "./server.ts";
import { SHARED } from "./shared.ts";

/** All that is tried, by what it is about. */
export const CATALOGUE: readonly (readonly [subject: string, probes: readonly Probe[]])[] = [
  ["files", FILES],
  ["server", SERVER],
  ["processes", PROCESSES],
  ["network", NETWORK],
  ["shared", SHARED],
  ["database", DATABASE],
  ["kernel", KERNEL],
];
