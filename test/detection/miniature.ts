import type { Manifest } from "../../src/environment/manifest.ts";

type Files = Readonly<Record<string, unknown>>;

/** A repository of a few files, and how it is to be run, or the problem that it has. */
export type Miniature = {
  readonly name: string;
  /** What is no text is written as JSON. */
  readonly files: Files;
} & (
  | { readonly expected: Expected }
  | { readonly problem: { readonly code: string; readonly says: string } }
);

/** The parts of a manifest that matter; a process by its command alone, or by its parts. */
export type Expected = {
  readonly processes?: Readonly<Record<string, unknown>>;
  readonly setup?: string | null;
  readonly database?: Manifest["database"];
  readonly variables?: Readonly<Record<string, string>>;
  readonly clone?: readonly string[];
  /** Each is a part of one of the warnings; none: there is no warning. */
  readonly warnings?: readonly string[];
};

export const VITE = "--port $PORT --strictPort --host $HOST";
export const NEXT = "-p $PORT -H $HOST";
export const NO_STEPS = { migrate: null, seed: null, mask: null };

/** A package.json of one script and what it depends on. */
export function pack(
  scripts: Readonly<Record<string, string>>,
  dependencies: readonly string[] = [],
  more: object = {},
): object {
  const versions = Object.fromEntries(dependencies.map((name) => [name, "1"]));
  return { name: "mini", scripts, dependencies: versions, ...more };
}

export function web(command: string, more: object = {}): NonNullable<Expected["processes"]> {
  return { web: Object.keys(more).length === 0 ? command : { command, ...more } };
}
