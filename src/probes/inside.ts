/** What runs in the environment: tries all that the catalogue holds, and prints one line of JSON with how each ended. */
import { CATALOGUE } from "./catalogue.ts";
import { type Finding, runProbe } from "./probe.ts";
import type { PlantedTargets } from "./targets.ts";

const planted: unknown = JSON.parse(process.env["RAMET_TARGETS"] ?? "");
if (!isTargets(planted)) throw new Error("RAMET_TARGETS says what there is to get hold of.");
const targets = { ...planted, databaseUrl: process.env["DATABASE_URL"] ?? null };
const findings: Finding[] = [];
for (const [, probes] of CATALOGUE)
  for (const probe of probes) findings.push(await runProbe(probe, targets));
process.stdout.write(`${JSON.stringify(findings)}\n`);

/** It comes from us. */
function isTargets(value: unknown): value is PlantedTargets {
  return typeof value === "object" && value !== null && "witness" in value;
}
