import { readFile } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../../base/problem.ts";

/** The version that the package beside this program says; it stands at another height once it is built. */
export async function readVersion(): Promise<string> {
  for (
    let folder = import.meta.dirname;
    folder !== path.dirname(folder);
    folder = path.dirname(folder)
  ) {
    const version = await findVersion(path.join(folder, "package.json"));
    if (version !== undefined) return version;
  }
  throw new Error("No package.json of ramet stands above this program.");
}

async function findVersion(file: string): Promise<string | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    const isObject =
      typeof value === "object" && value !== null && "name" in value && "version" in value;
    return isObject && value.name === "ramet" ? String(value.version) : undefined;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
