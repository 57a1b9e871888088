/** What stands at one path. Folders are there because of what they hold; one that holds nothing is named with a slash at its end. */
export type Entry =
  | { readonly kind: "file"; readonly hash: string; readonly executable: boolean }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "folder" };

/** By path relative to the root, with slashes. */
export type Tree = ReadonlyMap<string, Entry>;

export function isSameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === "folder") return b.kind === "folder";
  if (a.kind === "link") return b.kind === "link" && a.target === b.target;
  return b.kind === "file" && a.hash === b.hash && a.executable === b.executable;
}

export function listPaths(...trees: readonly Tree[]): readonly string[] {
  return [...new Set(trees.flatMap((tree) => [...tree.keys()]))].toSorted();
}

/** The folders above a path, the nearest first. */
export function listParents(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, parts.length - 1 - index).join("/"));
}

/** The folders that hold these paths, each with a slash at its end. */
export function listFolders(paths: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    let end = path.lastIndexOf("/");
    // Those above one that is known are known too.
    while (end > 0 && !folders.has(path.slice(0, end + 1))) {
      folders.add(path.slice(0, end + 1));
      end = path.lastIndexOf("/", end - 1);
    }
  }
  return folders;
}
