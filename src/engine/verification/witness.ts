import { chown, mkdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import type { UndoStack } from "../../base/undo-stack.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { parseReport, WITNESS } from "../../probes/probes.ts";
import type { WitnessReport } from "../../probes/probes.ts";
import { endGroup, startPiped } from "../../process/process.ts";
import { findProcessUser } from "../home/users.ts";
import type { EngineContext } from "../machine/context.ts";
import type { Neighbour } from "./neighbour.ts";

const GRACE_MS = 3_000;
const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

export type WitnessOptions = {
  readonly neighbour: Neighbour;
  readonly undo: UndoStack;
  readonly signal: AbortSignal;
};

/** Whoever could be attacked best: a process outside, as the very user that the environment's processes run as. */
export async function startWitness(
  { layout }: EngineContext,
  attacker: EnvironmentRecord,
  { neighbour, undo, signal }: WitnessOptions,
): Promise<WitnessReport> {
  const { id } = neighbour.record;
  const folder = path.join(layout.folder(id), "witness");
  const user = await findProcessUser(layout, attacker);
  await mkdir(folder, { mode: 0o700 });
  if (user !== null) await chown(folder, user.uid, user.gid);
  const { pid, stdout, stderr } = await startPiped({
    file: process.execPath,
    args: [WITNESS],
    folder,
    environment: {
      PATH: SEARCH_PATH,
      CANARY: neighbour.canary,
      // It goes with the neighbour, whatever happens to us.
      [MARK_VARIABLE]: layout.runtimePlace(id, null).mark,
    },
    user,
  });
  undo.push(async () => endGroup(pid, { graceMs: GRACE_MS }));
  const printed: string[] = [];
  stderr.on("data", (chunk) => printed.push(String(chunk)));
  const report = await findReport(stdout, signal);
  if (report === undefined) throw new Error(`The witness did not start: ${printed.join("")}`);
  stdout.resume();
  return report;
}

async function findReport(
  stdout: Readable,
  signal: AbortSignal,
): Promise<WitnessReport | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
  for await (const line of createInterface({ input: stdout, signal: limit })) {
    const report = parseReport(line);
    if (report !== undefined) return report;
  }
  signal.throwIfAborted();
  return undefined;
}
