import path from "node:path";

import { pinFolder } from "../base/pinned.ts";
import type { Pinned } from "../base/pinned.ts";

/** A folder of a tree that others may change meanwhile: entered step by step, never through a link; undefined: it is gone. */
export function pinInside(root: string, name: string): Pinned | undefined {
  let folder = pinFolder(root);
  for (const part of name.split("/")) {
    const inner = folder === undefined ? undefined : pinFolder(path.join(folder.path, part));
    folder?.close();
    folder = inner;
  }
  return folder;
}

/** Does something with a path that leads to an entry of the folder through no link, unless what holds that has gone. */
export function within(root: Pinned, name: string, work: (at: string) => void): void {
  const parent = path.dirname(name);
  // The path itself is a link of the kernel's.
  if (parent === ".") return work(`${root.path}/${name === "" ? "." : name}`);
  const folder = pinInside(`${root.path}/.`, parent);
  if (folder === undefined) return undefined;
  try {
    return work(path.join(folder.path, path.basename(name)));
  } finally {
    folder.close();
  }
}
