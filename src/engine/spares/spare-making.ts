import { mkdir } from "node:fs/promises";
import path from "node:path";

import { canReflink } from "../../base/can-reflink.ts";
import { isoTime } from "../../base/clock.ts";
import type { EnvironmentRecord } from "../../environment/environment.ts";
import { fillSpare, surveySpare } from "../../files/files.ts";
import { writeSpare } from "../home/spare-file.ts";
import type { SpareRecord } from "../home/spare-file.ts";
import type { EngineContext } from "../machine/context.ts";
import { hasRoom } from "../machine/standby-budget.ts";
import type { Heir } from "./heirs.ts";

export type SpareMaking = {
  readonly source: EnvironmentRecord;
  readonly name: string;
  /** Not there yet. */
  readonly folder: string;
  readonly heir: Heir;
  /** Throws when it is to be given up. */
  readonly pause: () => Promise<void>;
};

/** Resolves with undefined where it is not worth it, or there is no room for it; what is in the folder then is to be removed. */
export async function makeSpare(
  { clock, spares }: EngineContext,
  { source, name, folder, heir, pause }: SpareMaking,
): Promise<SpareRecord | undefined> {
  const base = path.dirname(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const place = { folder, root: source.files.path, name };
  const survey = await surveySpare(place, clock.now());
  if (survey.entries < spares.leastEntries) return undefined;
  const bytes = (await canReflink(base)) ? 0 : survey.bytes;
  if (!(await hasRoom(base, { bytes, isThere: false }))) return undefined;
  await fillSpare(place, { pause, owner: heir.owner });
  const { entries } = survey;
  const record = { source: source.id, name, entries, bytes, madeAt: isoTime(clock), ...heir };
  await writeSpare(folder, record);
  return record;
}
