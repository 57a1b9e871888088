import { realpath } from "node:fs/promises";

import { hasErrorCode } from "../../base/problem.ts";
import { CALLS } from "../../protocol/calls.ts";
import { defineCall } from "../session/call.ts";

export const findApp = defineCall(CALLS["app.find"], async ({ folder }, { engine }) => {
  const real = await findRealPath(folder);
  const live = engine.registry
    .list(null)
    .find(({ record }) => record.files.kind === "linked" && record.files.path === real);
  return { app: live?.record.app ?? null, environment: live?.record.name ?? null };
});

async function findRealPath(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return folder;
    throw error;
  }
}
