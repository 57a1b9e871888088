import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";

import { UndoStack } from "../../base/undo-stack.ts";
import {
  formatCanary,
  INSIDE,
  listProbes,
  parseFindings,
  PROGRAM_FOLDER,
} from "../../probes/probes.ts";
import type { Finding, PlantedTargets, ProbeDescription } from "../../probes/probes.ts";
import { environmentUnfinished, verificationFailed } from "../home/problems.ts";
import { listSpareBases } from "../home/spare-file.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import type { Identity } from "../standbys/standbys.ts";
import { plantNeighbour } from "./neighbour.ts";
import { findTargets } from "./targets.ts";
import { startWitness } from "./witness.ts";

/** One try to break out, and what came of it. */
export type Tried = ProbeDescription & Pick<Finding, "outcome" | "detail">;
export type Verification = { readonly isolation: string; readonly probes: readonly Tried[] };

export type VerificationOptions = {
  /** Of the neighbour to be. */
  readonly identity: Pick<Identity, "id" | "uid">;
  readonly signal: AbortSignal;
};

/** Nobody's process bears this name by accident. */
const STEP = "ramet-verify";
const LIMIT_MS = 60_000;
/** Of the package: how our own files are to be read. */
const PACKAGE_FILE = path.join(PROGRAM_FOLDER, "..", "..", "package.json");

/**
 * Plants canaries in a neighbour that is made for it, and in a process outside; then tries from inside the environment to
 * get hold of them, in every way that the catalogue knows. It is as awake as before afterwards.
 * @throws `environment_unfinished`, `verification_failed`, and whatever a wake throws
 */
export async function verifyEnvironment(
  context: EngineContext,
  live: LiveEnvironment,
  options: VerificationOptions,
): Promise<Verification> {
  if (live.state() === "creating") throw environmentUnfinished(live.record.name);
  const undo = new UndoStack();
  const leave = live.usage.occupy();
  try {
    const manifest = await live.manifest();
    const canary = formatCanary(randomBytes(16).toString("hex"));
    const planting = { ...options, canary, undo };
    const begun = [plantNeighbour(context, planting), rouse(live, planting)] as const;
    // Both are settled before either's failure is told: what was made can then be taken back.
    await Promise.allSettled(begun);
    const [neighbour] = await Promise.all(begun);
    await openSpares(context);
    const witness = await startWitness(context, live.record, { ...planting, neighbour });
    const targets = await findTargets(context, live.record, { manifest, neighbour, witness });
    const findings = await runProbes(live, targets, options.signal);
    return { isolation: await live.facts.describeIsolation(manifest), probes: join(findings) };
  } finally {
    leave();
    await undo.undo();
  }
}

/** Where there is none yet, there would be nothing to get into. */
async function openSpares({ layout }: EngineContext): Promise<void> {
  const [first] = listSpareBases(layout);
  if (first !== undefined) await mkdir(first, { recursive: true, mode: 0o700 });
}

type Planting = VerificationOptions & { readonly undo: UndoStack };

/** Its keeper runs; that of one that sleeps, or is broken, is ended again. */
async function rouse(live: LiveEnvironment, { undo, signal }: Planting): Promise<void> {
  if (!live.isUp()) undo.push(async () => live.sleep());
  undo.push(async () => rm(path.join(live.logs, `${STEP}.jsonl`), { force: true }));
  await live.wake();
  await live.runStep({ name: STEP, command: ":", timeoutMs: LIMIT_MS }, signal);
}

async function runProbes(
  live: LiveEnvironment,
  targets: PlantedTargets,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const step = {
    name: STEP,
    command: `exec '${process.execPath}' '${INSIDE}'`,
    // What the app has its own Node load is no part of it.
    environment: { RAMET_TARGETS: JSON.stringify(targets), NODE_OPTIONS: "" },
    shown: [process.execPath, PROGRAM_FOLDER, PACKAGE_FILE],
    timeoutMs: LIMIT_MS,
  };
  const { lastLines } = await live.runStep(step, signal);
  const findings = lastLines.flatMap((line) => parseFindings(line) ?? []);
  if (findings.length === 0) throw verificationFailed(lastLines.join(" ⏎ "));
  return findings;
}

function join(findings: readonly Finding[]): readonly Tried[] {
  const known = new Map(findings.map((finding) => [finding.id, finding]));
  return listProbes().map((probe) => {
    const { outcome, detail } = known.get(probe.id) ?? {
      outcome: "leaked",
      detail: "nothing is known of it",
    };
    return { ...probe, outcome, detail };
  });
}
