import type { EntryOutcome } from "./copy-entry.ts";

/** Of the paths that were to be brought. */
export type Brought = {
  readonly brought: readonly string[];
  /** Those of them that were there already, and were only moved. */
  readonly ready: ReadonlySet<string>;
  readonly left: readonly string[];
};

/** Which of the paths are there, and how. */
export function sortOut(outcomes: ReadonlyMap<string, EntryOutcome>): Brought {
  const those = (...wanted: readonly EntryOutcome[]): readonly string[] =>
    [...outcomes].filter(([, outcome]) => wanted.includes(outcome)).map(([name]) => name);
  return {
    brought: those("copied", "ready"),
    ready: new Set(those("ready")),
    left: those("left"),
  };
}
