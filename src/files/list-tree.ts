import { createHash } from "node:crypto";

import { hashIndex } from "./git-index.ts";
import {
  askEntries,
  askGitTree,
  askIgnored,
  findGitIgnored,
  findGitTree,
  type GitTree,
  inGitTree,
  listGitIgnored,
  type Listing,
  mayHaveSubmodules,
  parseTold,
  type Told,
} from "./git.ts";
import { findIgnoredByRules, isNeverListed, listByRules } from "./ignore-rules.ts";

/** A list of a tree, of which as little is asked as tells whether it is another until it is read. */
export type NamedListing = {
  /** Another where it says anything else of what is there. */
  readonly id: string;
  /** Stands for what git tracks, if it has no submodule; null: it may have, or it is not known. */
  readonly index: string | null;
  readonly read: () => Promise<Listing>;
};

/** By git where it knows the folder, else by the `.gitignore` files; never `.git` and `.ramet`. */
export async function listTree(folder: string): Promise<Listing> {
  return (await nameTree(folder)).read();
}

/** The same, for whoever may have read that very list before. @param known the `index` of the list before */
export async function nameTree(folder: string, known: string | null = null): Promise<NamedListing> {
  const index = await hashIndex(folder);
  const named = await inGitTree(folder, async (tree) =>
    index !== null && index === known ? nameByIndex(tree, index) : nameByAll(tree, index),
  );
  return named ?? nameByRules(folder);
}

/** Of what is there, and is neither tracked nor ignored, git has nothing else to say. */
async function nameByIndex(tree: GitTree, index: string): Promise<NamedListing> {
  const ignored = await askIgnored(tree);
  const read = async (): Promise<Listing> =>
    listingWithoutOwn(parseTold({ entries: await askEntries(tree), ignored, inner: [] }));
  return { id: hashTexts([index, ignored]), index, read };
}

async function nameByAll(tree: GitTree, before: string | null): Promise<NamedListing> {
  const told = await askGitTree(tree);
  const isPlain = !mayHaveSubmodules(told.entries) && before === (await hashIndex(tree.folder));
  const index = isPlain ? before : null;
  const id = hashTexts(index === null ? textsOf(told) : [index, told.ignored]);
  return { id, index, read: async () => listingWithoutOwn(parseTold(told)) };
}

async function nameByRules(folder: string): Promise<NamedListing> {
  const listing = await listByRules(folder);
  const texts = [listing.files, listing.ignored].map((names) => names.join("\0"));
  return { id: hashTexts(texts), index: null, read: async () => listingWithoutOwn(listing) };
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
