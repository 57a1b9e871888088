import { readdir } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../src/base/problem.ts";

const DEBIAN = "/usr/lib/postgresql";

/** The newest PostgreSQL that Debian's packages have installed; undefined where there is none. */
export async function findDebianVersion(): Promise<string | undefined> {
  try {
    const versions = await readdir(DEBIAN);
    return versions.toSorted((a, b) => Number(b) - Number(a))[0];
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The path of one of its programs. */
export function debianProgram(version: string, program: string): string {
  return path.join(DEBIAN, version, "bin", program);
}

export async function findDebianProgram(program: string): Promise<string | undefined> {
  const version = await findDebianVersion();
  return version === undefined ? undefined : debianProgram(version, program);
}
