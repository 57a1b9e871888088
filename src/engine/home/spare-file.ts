import { readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { hasErrorCode } from "../../base/problem.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { isEnvironmentId } from "../../environment/environment.ts";
import type { EnvironmentId } from "../../environment/environment.ts";
import type { Layout } from "./layout.ts";

const schema = z.object({
  source: z.custom<EnvironmentId>((value) => typeof value === "string" && isEnvironmentId(value)),
  /** Of which path in the source's tree it is a copy. */
  name: z.string(),
  entries: z.number(),
  /** What it takes of the disk, besides its own names; 0 where it shares its blocks. */
  bytes: z.number(),
  madeAt: z.string(),
  /** Whose all of it is; null: the server's own user's, who cannot give anything away. */
  owner: z.object({ uid: z.number(), gid: z.number() }).nullable(),
  /** That uid is kept for the environment that is to take it. */
  isReserved: z.boolean(),
});

export type SpareRecord = z.infer<typeof schema>;

/** The commit: from here on the spare copy in this folder is whole. */
export async function writeSpare(folder: string, record: SpareRecord): Promise<void> {
  await writeAtomically(fileIn(folder), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** From here on nothing of the folder is of use: it is swept, wherever its tree went. */
export async function useUpSpare(folder: string): Promise<void> {
  await rm(fileIn(folder), { force: true });
}

/** undefined: it is not whole, or used up. */
export async function findSpare(folder: string): Promise<SpareRecord | undefined> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(fileIn(folder), "utf8")));
    return parsed.data;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Every folder in which a spare copy is, was, or was to be. */
export async function listSpareFolders(layout: Layout): Promise<readonly string[]> {
  const lists = await Promise.all(
    listSpareBases(layout).map(async (base) =>
      (await listNames(base)).map((name) => path.join(base, name)),
    ),
  );
  return lists.flat();
}

/**
 * Where spare copies lie that can be moved into this folder: on its file system. undefined: nothing of ours is there.
 * The home itself comes first: `data` may be a file system of its own.
 */
export async function findSpareBase(layout: Layout, folder: string): Promise<string | undefined> {
  const { dev } = await stat(folder);
  for (const base of listSpareBases(layout))
    if ((await stat(path.dirname(base))).dev === dev) return base;
  return undefined;
}

/** Folders that hold spare copies; they need not be there. */
export function listSpareBases({ home, data }: Layout): readonly string[] {
  return [home.folder, data].map((folder) => path.join(folder, "spares"));
}

function fileIn(folder: string): string {
  return path.join(folder, "spare.json");
}

async function listNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}
