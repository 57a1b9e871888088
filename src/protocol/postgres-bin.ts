import path from "node:path";

export const POSTGRES_BIN = "RAMET_POSTGRES_BIN";

/** The folder of the user's own PostgreSQL programs; undefined: none is named. */
export function findPostgresBin(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): string | undefined {
  const named = environment[POSTGRES_BIN];
  return named === undefined || named === "" ? undefined : path.resolve(folder, named);
}
