import { z } from "zod";

/** An entry as it is written down. */
export const entrySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("file"), hash: z.string(), executable: z.boolean() }),
  z.object({ kind: z.literal("link"), target: z.string() }),
  z.object({ kind: z.literal("folder") }),
]);
