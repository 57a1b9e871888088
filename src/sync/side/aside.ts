import { randomBytes } from "node:crypto";

import { isPlainPath } from "../core/paths.ts";

/** Many in a folder hinder each other: a disk makes one file in it at a time, and takes the longer the more there are. */
const MOST_IN_FOLDER = 64;
/** Of so many each name tells its path. */
const FEW = 16;
/** A disk's names are of 255 bytes at most; a number and an ending are added to it. */
const MOST_TOLD_BYTES = 200;
const TELLING = /^[0-9a-f]{12}-\d+\+(?<told>[^+]+)\+(?:\.old)?$/;
const OLD = ".old";

/** Names for what lies aside while the steps for these paths are taken: of few each tells its path, unless that is long. */
export function nameAsides(paths: readonly string[]): readonly string[] {
  const batch = randomBytes(6).toString("hex");
  return paths.map((path, index) => {
    const told = paths.length > FEW ? "" : encodeURIComponent(path);
    if (told !== "" && told.length <= MOST_TOLD_BYTES) return `${batch}-${index}+${told}+`;
    const folder = Math.trunc(index / MOST_IN_FOLDER);
    return folder === 0 ? `${batch}-${index}` : `${batch}.${folder}/${index}`;
  });
}

/** What was moved out of a step's way lies beside what is to be put. */
export function nameMoved(aside: string): string {
  return `${aside}${OLD}`;
}

/** Which path the name of something aside tells; undefined: none. */
export function findTold(name: string): string | undefined {
  const told = TELLING.exec(name)?.groups?.["told"];
  const path = told === undefined ? undefined : decode(told);
  return path !== undefined && isPlainPath(path) ? path : undefined;
}

function decode(told: string): string | undefined {
  try {
    return decodeURIComponent(told);
  } catch {
    // None of ours.
    return undefined;
  }
}
