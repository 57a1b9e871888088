import type { Targets } from "./targets.ts";

/** What is tried from inside an environment, and must not succeed. */
export type Probe = {
  readonly id: string;
  /** Goes on "it tries to …". */
  readonly tries: string;
  /** What it is to meet with. */
  readonly expected: string;
  /**
   * Does no harm where it succeeds, and takes back what it did. What the system refuses is thrown.
   * @returns what it got hold of; null: nothing
   */
  readonly attempt: (targets: Targets) => Promise<string | null> | string | null;
};

export const OUTCOMES = ["held", "leaked", "not applicable"] as const;

/** How one of them ended: what it met with, what it got hold of, or why it could not be tried. */
export type Finding = {
  readonly id: string;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly detail: string;
};

/** It was tried, and refused. */
export class Refused extends Error {}

/** There is nothing on this machine, or of this environment, to try it on. */
export class NotApplicable extends Error {}

/** What goes wrong in another way than by a refusal is our own mistake, and proves nothing: it is thrown. */
export async function runProbe(probe: Probe, targets: Targets): Promise<Finding> {
  const { id } = probe;
  try {
    const got = await probe.attempt(targets);
    if (got === null) return { id, outcome: "held", detail: "found nothing" };
    return { id, outcome: "leaked", detail: got };
  } catch (error) {
    if (error instanceof NotApplicable)
      return { id, outcome: "not applicable", detail: error.message };
    return { id, outcome: "held", detail: requireRefusal(id, error) };
  }
}

/** The first that gets hold of something; refused where each is. */
export async function anyOf<T>(
  items: readonly T[],
  attempt: (item: T) => Promise<string | null> | string | null,
): Promise<string | null> {
  let refusal: unknown = new NotApplicable("there is none of it here");
  for (const item of items) {
    try {
      const got = await attempt(item);
      if (got !== null) return got;
      refusal = new Refused("found nothing");
    } catch (error) {
      requireRefusal(String(item), error);
      refusal = error;
    }
  }
  throw refusal;
}

function requireRefusal(what: string, error: unknown): string {
  if (error instanceof Refused || error instanceof NotApplicable) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/^E(?!RR_)[A-Z0-9_]+$/.test(code)) return code;
  throw new Error(`The probe ${what} failed.`, { cause: error });
}
