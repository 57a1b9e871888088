import { z } from "zod";

import { problemSchema } from "./schemas.ts";

/** How a workspace on another machine and an environment's own files are brought to each other. */

/** More than a call's body has room for: looking a million wrong ones over would keep the server from all else for seconds. */
const MOST_CHANGES = 100_000;
const MOST_NAMES = 250_000;
const MOST_PIECES = 300_000;

const path = z.string().max(4096);
const entrySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("file"), hash: z.string().max(128), executable: z.boolean() }),
  z.object({ kind: z.literal("link"), target: path }),
  z.object({ kind: z.literal("folder") }),
]);
/** null: nothing stands there any more. */
const changesSchema = z.array(z.tuple([path, entrySchema.nullable()]));
const problemsSchema = z.array(z.tuple([path, problemSchema]));
const batchSchema = z.object({
  parts: z
    .array(
      z.object({
        path,
        offset: z.number().int().min(0),
        size: z.number().int().min(0),
        isEnd: z.boolean(),
        /** Of what is the same in the file that stands there: no bytes come of it. */
        from: z.number().int().min(0).optional(),
      }),
    )
    .max(10_000),
  /** Base64 of zstd. */
  packed: z.string(),
});
const planSchema = z.object({
  removals: z.array(z.object({ path, expected: entrySchema })).max(MOST_CHANGES),
  puts: z
    .array(z.object({ path, entry: entrySchema, expected: entrySchema.optional() }))
    .max(MOST_CHANGES),
});
const lookReplySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ask"), names: z.array(z.string()) }),
  z.object({
    kind: z.literal("look"),
    changes: changesSchema,
    unknown: problemsSchema,
    isPartial: z.boolean(),
  }),
]);

/** `pair` names workspace and environment, `visit` one command's work with both. */
const visit = z.object({
  app: z.string().max(4096),
  environment: z.string().max(4096),
  pair: z.string().regex(/^[0-9a-f]{16}$/),
  visit: z.string().regex(/^[0-9a-f]{16}$/),
});
/** Another for each question of a visit: the same again is answered as it was, and nothing is done twice. Absent: it is asked once. */
const turn = z.number().int().min(0).optional();
const nothing = z.object({});

export const WIRED_CALLS = {
  "tree.open": {
    input: visit,
    output: z.object({
      identity: z.string(),
      recovered: changesSchema,
      /** What a plan puts need not be staged where it removes the same under another name. Absent: an older server. */
      takesOver: z.boolean().optional(),
    }),
  },
  /** What has changed since; or a question first, which rules leave out. */
  "tree.look": {
    input: visit.extend({ turn, scope: z.enum(["all", "hinted"]) }),
    output: lookReplySchema,
  },
  "tree.answer": {
    input: visit.extend({ turn, ignored: z.array(path).max(MOST_NAMES) }),
    output: lookReplySchema,
  },
  "tree.read": {
    input: visit.extend({
      wants: z
        .array(
          z.object({
            path,
            offset: z.number().int().min(0),
            /** Absent: as many as there is room for. */
            size: z.number().int().min(1).optional(),
          }),
        )
        .min(1)
        .max(10_000),
    }),
    output: batchSchema,
  },
  /** What a large file is made of; null: it is none. A client does without where this is unknown. */
  "tree.pieces": {
    input: visit.extend({ path }),
    output: z.object({
      pieces: z
        .array(z.tuple([z.number().int().min(1), z.string().max(64)]))
        .max(MOST_PIECES)
        .nullable(),
    }),
  },
  "tree.stage": { input: visit.extend({ turn, batch: batchSchema }), output: nothing },
  "tree.apply": {
    input: visit.extend({ turn, plan: planSchema }),
    output: z.object({
      done: changesSchema,
      left: problemsSchema,
      /** A folder of the server's machine. */
      displaced: z.string().nullable(),
    }),
  },
  "tree.commit": { input: visit, output: nothing },
  /** Answers when another number of events has happened than was seen, or after a while. */
  "tree.wait": {
    input: visit.extend({ seen: z.number().int().min(0) }),
    output: z.object({ seen: z.number().int().min(0) }),
  },
  /** What a push has changed is taken up: setup, where a lock file changed, and processes. */
  "tree.arrived": { input: visit, output: nothing },
  "tree.close": { input: visit, output: nothing },
} as const;
