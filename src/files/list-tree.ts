import { createHash } from "node:crypto";

import {
  askGitTree,
  findGitIgnored,
  findGitTree,
  type GitTree,
  inGitTree,
  listGitIgnored,
  type Listing,
  parseTold,
  type Told,
} from "./git.ts";
import { findIgnoredByRules, isNeverListed, listByRules } from "./ignore-rules.ts";

/** A list of a tree, which is taken apart when it is read. */
export type NamedListing = {
  /** Another where it says anything else. */
  readonly id: string;
  readonly read: () => Listing;
};

/** By git where it knows the folder, else by the `.gitignore` files; never `.git` and `.ramet`. */
export async function listTree(folder: string): Promise<Listing> {
  return (await nameTree(folder)).read();
}

/** The same, for whoever may have read that very list before. */
export async function nameTree(folder: string): Promise<NamedListing> {
  const told = await inGitTree(folder, async (tree) => askGitTree(tree));
  if (told !== undefined)
    return { id: hashTexts(textsOf(told)), read: () => listingWithoutOwn(parseTold(told)) };
  const listing = await listByRules(folder);
  const texts = [listing.files, listing.ignored].map((names) => names.join("\0"));
  return { id: hashTexts(texts), read: () => listingWithoutOwn(listing) };
}

/** What the folder's rules ignore, and git's view of it where it has one. */
export async function listIgnored(
  folder: string,
): Promise<{ readonly ignored: readonly string[]; readonly tree: GitTree | undefined }> {
  const known = await inGitTree(folder, async (tree) => ({
    ignored: await listGitIgnored(tree),
    tree,
  }));
  const ignored = known?.ignored ?? (await listByRules(folder)).ignored;
  return { ignored: withoutOwn(ignored), tree: known?.tree };
}

/** Of names that need not exist, those that the folder's rules ignore. */
export async function findIgnoredNames(
  folder: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const tree = await findGitTree(folder);
  return tree === undefined ? findIgnoredByRules(folder, names) : findGitIgnored(tree, names);
}

function textsOf({ entries, ignored, inner }: Told): readonly string[] {
  const below = inner.flatMap(([name, told]) => [name, ...textsOf(told)]);
  return [entries, ignored, String(inner.length), ...below];
}

function hashTexts(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text.length}\0`).update(text);
  return hash.digest("base64");
}

function listingWithoutOwn({ files, ignored }: Listing): Listing {
  return { files: withoutOwn(files), ignored: withoutOwn(ignored) };
}

function withoutOwn(names: readonly string[]): readonly string[] {
  return names.filter((name) => !isNeverListed(name));
}
