import { realpath } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";
import { manifestInvalid } from "./problems.ts";

/** That a path does not leave the folder through a symbolic link; what does not exist leaves nothing. */
export async function assertStaysInside(
  folder: string,
  relative: string,
  key: string,
): Promise<void> {
  const real = await findReal(path.join(folder, relative));
  if (real === undefined) return;
  const fromRoot = path.relative(await realpath(folder), real);
  if (fromRoot !== ".." && !fromRoot.startsWith("../")) return;
  throw manifestInvalid("ramet.json", `${key}: ${relative} is a link that leaves the app's folder`);
}

async function findReal(file: string): Promise<string | undefined> {
  try {
    return await realpath(file);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return undefined;
    throw error;
  }
}
