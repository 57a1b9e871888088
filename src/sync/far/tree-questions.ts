import { z } from "zod";

import type { PutStep, RemoveStep } from "../core/plan.ts";
import { entrySchema } from "../disk/entry-schema.ts";
import type { LookOptions } from "../side/side.ts";
import type { Batch } from "./batch.ts";
import type { Want } from "./wire.ts";

/** A plan as it comes from a wire: what is expected to stand there is said where something is. */
export type WiredPlan = {
  readonly removals: readonly RemoveStep[];
  readonly puts: readonly (Omit<PutStep, "expected"> & Partial<Pick<PutStep, "expected">>)[];
};

/** What a tender is asked about one visitor's tree. */
export type TreeQuestion =
  | { readonly call: "begin"; readonly tree: string; readonly home: string; readonly pair: string }
  | { readonly call: "open" | "commit" }
  | { readonly call: "wait"; readonly seen: number }
  | { readonly call: "end" }
  | { readonly call: "look"; readonly scope: LookOptions["scope"] }
  | { readonly call: "answer"; readonly ignored: readonly string[] }
  | { readonly call: "read"; readonly wants: readonly Want[] }
  | { readonly call: "pieces"; readonly path: string }
  | { readonly call: "stage"; readonly batch: Batch }
  | { readonly call: "apply"; readonly plan: WiredPlan };

/** A JSON object a line; each is answered by one of its number, in whatever order. */
export type TreeMessage = {
  readonly id: number;
  /** Names the visitor. */
  readonly visit: string;
  readonly question: TreeQuestion;
};

const questionSchema: z.ZodType<TreeQuestion> = z.discriminatedUnion("call", [
  z.object({ call: z.literal("begin"), tree: z.string(), home: z.string(), pair: z.string() }),
  z.object({ call: z.enum(["open", "commit"]) }),
  z.object({ call: z.literal("wait"), seen: z.number() }),
  z.object({ call: z.literal("end") }),
  z.object({ call: z.literal("look"), scope: z.enum(["all", "hinted"]) }),
  z.object({ call: z.literal("answer"), ignored: z.array(z.string()) }),
  z.object({
    call: z.literal("read"),
    wants: z.array(z.object({ path: z.string(), offset: z.number(), size: z.number().optional() })),
  }),
  z.object({ call: z.literal("pieces"), path: z.string() }),
  z.object({
    call: z.literal("stage"),
    batch: z.object({
      parts: z.array(
        z.object({
          path: z.string(),
          offset: z.number(),
          size: z.number(),
          isEnd: z.boolean(),
          from: z.number().optional(),
        }),
      ),
      packed: z.string(),
    }),
  }),
  z.object({
    call: z.literal("apply"),
    plan: z.object({
      removals: z.array(z.object({ path: z.string(), expected: entrySchema })),
      puts: z.array(
        z.object({ path: z.string(), entry: entrySchema, expected: entrySchema.optional() }),
      ),
    }),
  }),
]);

export const messageSchema: z.ZodType<TreeMessage> = z.object({
  id: z.number(),
  visit: z.string(),
  question: questionSchema,
});
