import { splitPath } from "../core/paths.ts";
import type { Listed } from "../disk/disk.ts";
import type { LookOptions } from "./side.ts";

/** What a folder lists. */
export type Listing = { readonly folder: string; readonly all: readonly Listed[] };

/** `listed`: what of it may be part of the tree. */
export type Looked = Listing & { readonly listed: readonly Listed[] };

export function joinPath(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** As rules are asked about it: a folder has a slash at its end. */
export function nameIn(folder: string, { name, kind }: Listed): string {
  return `${joinPath(folder, name)}${kind === "folder" ? "/" : ""}`;
}

/** What the rules are asked about a folder that is a repository. */
export function repositoryName({ folder, all }: Listing): readonly string[] {
  return folder !== "" && all.some(({ name }) => name === ".git") ? [`${folder}/.git`] : [];
}

export function withoutNames(listing: Looked, names: ReadonlySet<string>): Looked {
  const { folder, listed } = listing;
  return { ...listing, listed: listed.filter((one) => !names.has(nameIn(folder, one))) };
}

/** A folder that is no part of a tree yet, or any more, is found from the one above it. */
export function findNearest(
  known: ReadonlyMap<string, unknown>,
  folders: Iterable<string>,
): readonly string[] {
  const nearest = [...folders].map((folder) => {
    let one = folder;
    while (!known.has(one)) one = splitPath(one).parent;
    return one;
  });
  return [...new Set(nearest)];
}

/** Adds those of the names that are left out, without asking about one again. */
export async function addIgnored(
  ignored: Set<string>,
  names: readonly string[],
  findIgnored: LookOptions["findIgnored"],
): Promise<void> {
  const open = names.filter((name) => !ignored.has(name));
  if (open.length === 0) return;
  for (const name of await findIgnored(open)) ignored.add(name);
}
