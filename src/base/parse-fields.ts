import type { ProblemFields } from "./problem.ts";

/** By hand, because the keeper must stay small: a schema library costs it more memory than its work does. */
export type Fields = Readonly<Record<string, unknown>>;

/** Each of these throws an Error that names what was expected. */
export function parseFields(value: unknown, what: string): Fields {
  if (!isFields(value)) throw expected("an object", what);
  return value;
}

export function parseText(value: unknown, what: string): string {
  if (typeof value !== "string") throw expected("a text", what);
  return value;
}

export function parseNumber(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw expected("a number", what);
  return value;
}

export function parsePort(value: unknown): number {
  const port = parseNumber(value, "port");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${port} is no port.`);
  return port;
}

export function parseNullable<T>(value: unknown, parse: (value: unknown) => T): T | null {
  return value === null ? null : parse(value);
}

export function parseList<T>(value: unknown, parse: (value: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw expected("a list", "value");
  return value.map((item: unknown) => parse(item));
}

export function parseTextRecord(value: unknown, what: string): Readonly<Record<string, string>> {
  const entries = Object.entries(parseFields(value, what));
  return Object.fromEntries(entries.map(([name, text]) => [name, parseText(text, name)]));
}

export function parseOneOf<T extends string>(value: unknown, choices: readonly T[]): T {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw expected(`one of ${choices.join(", ")}`, "value");
  return choice;
}

export function parseProblem(value: unknown): ProblemFields {
  const fields = parseFields(value, "problem");
  return {
    code: parseText(fields["code"], "code"),
    message: parseText(fields["message"], "message"),
    remedy: parseText(fields["remedy"], "remedy"),
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expected(kind: string, what: string): Error {
  return new Error(`Expected ${kind} for ${what}.`);
}
