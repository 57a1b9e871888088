import path from "node:path";

import type { Finding } from "../../../environment/manifest.ts";
import type { Engine } from "../signs/database-engine.ts";
import type { Role } from "../signs/framework.ts";
import type { Sources } from "../signs/sources.ts";
import { findText } from "../signs/text-file.ts";

/** A folder's files, of which more may be read than what every app may have. */
export type AppFiles = Sources & {
  /** undefined: it is not there, or cannot be read. */
  readonly read: (name: string) => Promise<string | undefined>;
};

export type StackProcess = {
  /** What it would like to be called; null: nothing speaks for a name. */
  readonly label: string | null;
  readonly role: Role;
  readonly command: string;
  /** The port that its code names, whatever it is told. */
  readonly ownPort?: number;
};

/** How the apps of one framework, or of one language, are run that `package.json` does not tell of. */
export type Stack = {
  readonly name: string;
  /** The file that says so. */
  readonly file: string;
  readonly processes: readonly StackProcess[];
  /** The steps of its setup. */
  readonly setup: readonly string[];
  readonly migrate: string | null;
  readonly seed: string | null;
  readonly engine: FoundEngine;
  /** What git ignores and a fork needs. */
  readonly clone: readonly string[];
  /** Files that name variables, as they were read. */
  readonly texts: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  /** Whether its pages need what a script of package.json builds. */
  readonly buildsAssets?: boolean;
};

/** Which database it keeps its rows in, and what says so; `none`: it has none. */
export type FoundEngine = {
  readonly kind: Engine | "none";
  readonly findings: readonly Finding[];
};

export const UNKNOWN_ENGINE: FoundEngine = { kind: "unknown", findings: [] };

export function engineOf(kind: Engine, value: string, file: string): FoundEngine {
  return { kind, findings: [{ about: "database", value, file, key: null }] };
}

export function toAppFiles(root: string, sources: Sources): AppFiles {
  return { ...sources, read: (name) => findText(path.join(root, sources.folder, name)) };
}

/** The first of these files that is there, with its text. */
export async function readFirst(
  { read }: AppFiles,
  names: readonly string[],
): Promise<{ readonly name: string; readonly text: string } | undefined> {
  for (const name of names) {
    const text = await read(name);
    if (text !== undefined) return { name, text };
  }
  return undefined;
}

/** Those of these files that are there, by their names. */
export async function readAll(
  { read }: AppFiles,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const texts = await Promise.all(names.map(async (name) => [name, await read(name)] as const));
  return Object.fromEntries(
    texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])),
  );
}

/** A default that is said plainly wherever a framework reads its database's address by no variable. */
export function warnOfOwnAddress(file: string, how: string): string {
  return `${file} names its database itself: ${how}, so that every environment has its own.`;
}
