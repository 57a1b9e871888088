import type { Finding } from "../../../environment/manifest.ts";

/** What was decided, and what the person is told of it. */
export type Outcome<T> = {
  readonly value: T;
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
};

export function found<T>(
  value: T,
  findings: readonly Finding[] = [],
  warnings: readonly string[] = [],
): Outcome<T> {
  return { value, findings, warnings };
}

/** Several as one; their values in the same order. */
export function join<T>(outcomes: readonly Outcome<T>[]): Outcome<readonly T[]> {
  return {
    value: outcomes.map(({ value }) => value),
    findings: outcomes.flatMap(({ findings }) => findings),
    warnings: outcomes.flatMap(({ warnings }) => warnings),
  };
}
