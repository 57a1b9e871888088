/** What is tried from inside an environment, to prove that it is sealed off: a catalogue, and the program that runs it there. */
import path from "node:path";

import { CATALOGUE } from "./catalogue.ts";
import * as probe from "./probe.ts";
import * as targets from "./targets.ts";

export type Finding = probe.Finding;
export type PlantedTargets = targets.PlantedTargets;
export type WitnessReport = targets.WitnessReport;

/** One of the catalogue, without how it is done. */
export type ProbeDescription = Pick<probe.Probe, "id" | "tries" | "expected"> & {
  readonly subject: string;
};

/** Nothing but these files is needed to run the programs: they import nothing else of ours. */
export const PROGRAM_FOLDER = import.meta.dirname;
/** Takes `RAMET_TARGETS`, and prints findings. */
export const INSIDE = sibling("inside");
/** Takes `CANARY` and its working folder, and prints where it holds that out. */
export const WITNESS = sibling("witness");

export const CANARY_FILE = targets.CANARY_FILE;

export function listProbes(): readonly ProbeDescription[] {
  return CATALOGUE.flatMap(([subject, probes]) =>
    probes.map(({ id, tries, expected }) => ({ id, subject, tries, expected })),
  );
}

export function formatCanary(random: string): string {
  return targets.formatCanary(random);
}

/** What `INSIDE` printed; undefined: this is not it. */
export function parseFindings(line: string): readonly Finding[] | undefined {
  const value = parseJson(line);
  return Array.isArray(value) && value.every(isFinding) ? value : undefined;
}

/** What `WITNESS` printed; undefined: this is not it. */
export function parseReport(line: string): WitnessReport | undefined {
  const value = parseJson(line);
  return isReport(value) ? value : undefined;
}

/** In a checkout as in a package, where it has been compiled. */
function sibling(name: string): string {
  return path.join(PROGRAM_FOLDER, `${name}${path.extname(import.meta.filename)}`);
}

function isFinding(value: unknown): value is Finding {
  return (
    typeof value === "object" &&
    value !== null &&
    "outcome" in value &&
    probe.OUTCOMES.some((one) => one === value.outcome)
  );
}

function isReport(value: unknown): value is WitnessReport {
  return typeof value === "object" && value !== null && "datagramPort" in value;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line of somebody else's.
    return undefined;
  }
}
