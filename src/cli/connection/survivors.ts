import { readFile } from "node:fs/promises";

import { z } from "zod";

import { hasErrorCode } from "../../base/problem.ts";
import { MARK_VARIABLE } from "../../environment/places.ts";
import { findMarked } from "../../process/process.ts";
import type { Home } from "../../protocol/home.ts";

const serverFileSchema = z.object({ homeId: z.string().min(1) });

/** Whether environments of this home run on though their server does not: it was killed. */
export async function hasSurvivors(home: Home): Promise<boolean> {
  const homeId = await findHomeId(home);
  return homeId !== undefined && (await findMarked(MARK_VARIABLE, `${homeId}.`)).length > 0;
}

async function findHomeId({ serverFile }: Home): Promise<string | undefined> {
  try {
    return serverFileSchema.parse(JSON.parse(await readFile(serverFile, "utf8"))).homeId;
  } catch (error) {
    // A home without a server's file, or with a damaged one, has nothing that could be told from others'.
    const isNone = error instanceof SyntaxError || error instanceof z.ZodError;
    if (isNone || hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}
