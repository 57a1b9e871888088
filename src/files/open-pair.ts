import { realpath } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import type { TreePair } from "./copy-files.ts";
import { copyFailed } from "./problems.ts";

/** @throws `copy_failed` when there is no source */
export async function openPair(source: string, target: string): Promise<TreePair> {
  const real = await realpath(source).catch((error: unknown) => {
    throw hasErrorCode(error, "ENOENT", "ENOTDIR")
      ? copyFailed(target, `${source} does not exist`)
      : error;
  });
  return { source, target, sourceNames: [...new Set([path.resolve(source), real])] };
}
