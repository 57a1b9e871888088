import { readFile, rm } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { hasErrorCode } from "../../base/problem.ts";
import { exists } from "../../base/remove-inside.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { isEnvironmentId } from "../../environment/environment.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import type { Layout } from "./layout.ts";
import { listDataFolders } from "./records.ts";

const id = z.custom<EnvironmentId>((value) => typeof value === "string" && isEnvironmentId(value));
const schema = z.object({ id, uid: z.number().nullable(), source: id });

/** An environment-to-be: the id and uid that the fork will have which promotes it, and whose rows it follows. */
export type StandbyRecord = z.infer<typeof schema>;

/** The commit: from here on the standby is there, whatever becomes of this server. */
export async function writeStandby(layout: Layout, standby: StandbyRecord): Promise<void> {
  await writeAtomically(fileOf(layout, standby.id), `${JSON.stringify(standby, undefined, 2)}\n`);
}

/** From here on the folder is a draft's: without a record it is swept. */
export async function useUpStandby(layout: Layout, standbyId: EnvironmentId): Promise<void> {
  await rm(fileOf(layout, standbyId), { force: true });
}

export async function isStandby(layout: Layout, standbyId: EnvironmentId): Promise<boolean> {
  return exists(fileOf(layout, standbyId));
}

/** A file that cannot be read makes no standby: its folder is swept. */
export async function readStandbys(layout: Layout): Promise<readonly StandbyRecord[]> {
  const ids = (await listDataFolders(layout)).filter(isEnvironmentId);
  const standbys = await Promise.all(ids.map(async (one) => findStandby(layout, one)));
  return standbys.filter((one) => one !== undefined);
}

async function findStandby(
  layout: Layout,
  standbyId: EnvironmentId,
): Promise<StandbyRecord | undefined> {
  try {
    const text = await readFile(fileOf(layout, standbyId), "utf8");
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.id === standbyId ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function fileOf(layout: Layout, standbyId: EnvironmentId): string {
  return path.join(layout.folder(standbyId), "standby.json");
}
