import type { Problem } from "../../base/problem.ts";
import type { Piece } from "../core/plan-patch.ts";
import type { Plan } from "../core/plan.ts";
import type { Entry } from "../core/tree.ts";
import type { Range } from "../disk/disk.ts";
import type { LookOptions } from "../side/side.ts";
import type { Batch } from "./batch.ts";

/** As maps go by a wire. */
export type WiredChanges = readonly (readonly [path: string, entry: Entry | null])[];
export type WiredProblems = readonly (readonly [path: string, problem: ProblemFields])[];
type ProblemFields = ReturnType<Problem["toFields"]>;

/** How a look at a tree far away goes on: it asks which of these names rules leave out, or it has ended. */
export type LookReply =
  | { readonly kind: "ask"; readonly names: readonly string[] }
  | {
      readonly kind: "look";
      readonly changes: WiredChanges;
      readonly unknown: WiredProblems;
      readonly isPartial: boolean;
    };

export type WiredApplied = {
  readonly done: WiredChanges;
  readonly left: WiredProblems;
  readonly displaced: string | null;
};

/** Of a file, from an offset on. */
export type Want = Pick<Range, "offset"> & {
  readonly path: string;
  readonly size?: number | undefined;
};

export type WiredOpened = {
  readonly identity: string;
  readonly recovered: WiredChanges;
  /** Whether what a plan puts may be left out of what is sent, where the same is removed by it under another name. */
  readonly takesOver?: boolean | undefined;
};

/** What a side behind a wire is asked, one call each. @throws what the call does; `connection_lost` among it */
export type Wire = {
  /** Which folder it is, and what was finished of what a crash had left. */
  open(): Promise<WiredOpened>;
  look(scope: LookOptions["scope"]): Promise<LookReply>;
  answer(ignored: readonly string[]): Promise<LookReply>;
  /** Of each of these files its bytes from the offset on, as many of them as are asked for, or as a batch holds. */
  read(wants: readonly Want[]): Promise<Batch>;
  /**
   * What a large file is made of, in its order: parts of it can be asked for, or be taken over from there to a file that is to
   * replace it. null: it is none. @throws `call_unknown` where such is not spoken yet
   */
  pieces(path: string): Promise<readonly Piece[] | null>;
  /** Brings bytes that a plan is going to put there. */
  stage(batch: Batch): Promise<void>;
  apply(plan: Plan): Promise<WiredApplied>;
  commit(): Promise<void>;
  /**
   * Resolves when more, or less, has happened there than `seen` events, or after a while, with how many there are: whoever
   * never hears the answer asks the same again, and misses nothing.
   */
  wait(seen: number, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
};
