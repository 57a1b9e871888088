import { readFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import type { Layout } from "../home/layout.ts";
import type { Registry } from "../live/registry.ts";
import type { StandbyDemand } from "./standby-demand.ts";

const schema = z.object({ forkedAt: z.iso.datetime() });

/**
 * Notes in each environment's own folder when it was forked last: the next server is to know, and it goes with it. To
 * be done behind the fork, which is not to wait for it.
 */
export async function noteForks(
  layout: Layout,
  registry: Registry,
  demand: StandbyDemand,
): Promise<void> {
  for (const { id, forkedAtMs } of demand.takeUnsaved()) {
    const noted = { forkedAt: new Date(forkedAtMs).toISOString() };
    if (registry.findById(id) !== undefined)
      await writeAtomically(fileOf(layout, id), `${JSON.stringify(noted)}\n`);
  }
}

/** What an earlier server noted. */
export async function recallForks(
  layout: Layout,
  registry: Registry,
  demand: StandbyDemand,
): Promise<void> {
  for (const { record } of registry.list(null)) {
    const forkedAtMs = await findForkTime(layout, record.id);
    if (forkedAtMs !== undefined) demand.recall(record.id, forkedAtMs);
  }
}

/** Milliseconds since 1970; undefined: never, or it cannot be read, which costs a standby and nothing else. */
async function findForkTime(layout: Layout, id: EnvironmentId): Promise<number | undefined> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(fileOf(layout, id), "utf8")));
    return parsed.success ? Date.parse(parsed.data.forkedAt) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

function fileOf(layout: Layout, id: EnvironmentId): string {
  return path.join(layout.folder(id), "forked.json");
}
