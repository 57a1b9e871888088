import { createHash } from "node:crypto";
import { mkdir, readFile, realpath } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { hasErrorCode } from "../base/problem.ts";
import { writeAtomically } from "../base/write-atomically.ts";
import type { Tree } from "./core/tree.ts";

const entrySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("file"), hash: z.string(), executable: z.boolean() }),
  z.object({ kind: z.literal("link"), target: z.string() }),
]);
const fileSchema = z.object({
  version: z.literal(1),
  entries: z.array(z.tuple([z.string(), entrySchema])),
});

/** One for each workspace: what one of them has in common with an environment says nothing about another. */
export async function nameAncestor(file: string, workspace: string): Promise<string> {
  const hash = createHash("sha256").update(await realpath(workspace));
  return `${file}.${hash.digest("hex").slice(0, 16)}`;
}

/**
 * The last state that both sides had in common. Without one, or when it is damaged, nothing is known to have been
 * deleted or changed by one side alone: whatever differs is a conflict or is new.
 */
export async function readAncestor(file: string): Promise<Tree> {
  try {
    return new Map(fileSchema.parse(JSON.parse(await readFile(file, "utf8"))).entries);
  } catch (error) {
    const isDamaged = error instanceof SyntaxError || error instanceof z.ZodError;
    if (isDamaged || hasErrorCode(error, "ENOENT")) return new Map();
    throw error;
  }
}

export async function writeAncestor(file: string, tree: Tree): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeAtomically(file, JSON.stringify({ version: 1, entries: [...tree] }), { mode: 0o600 });
}
