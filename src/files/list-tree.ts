import {
  findGitIgnored,
  findGitTree,
  type GitTree,
  inGitTree,
  listGitIgnored,
  listGitTree,
  type Listing,
} from "./git.ts";
import { findIgnoredByRules, isNeverListed, listByRules } from "./ignore-rules.ts";

/** By git where it knows the folder, else by the `.gitignore` files; never `.git` and `.ramet`. */
export async function listTree(folder: string): Promise<Listing> {
  const { files, ignored } =
    (await inGitTree(folder, async (tree) => listGitTree(tree))) ?? (await listByRules(folder));
  return { files: withoutOwn(files), ignored: withoutOwn(ignored) };
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

function withoutOwn(names: readonly string[]): readonly string[] {
  return names.filter((name) => !isNeverListed(name));
}
