import path from "node:path";

import { pinFolder } from "../base/pinned.ts";
import type { Pinned } from "../base/pinned.ts";
import { within } from "./pin-inside.ts";
import { findKind, kindAt, listEntries, listFolderNames, stateOf } from "./tree-list.ts";
import type { Kind, TreeList } from "./tree-list.ts";

export type Entry = { readonly name: string; readonly kind: Kind };

/** How a folder is now, beside a list of what was in it. */
export type Differences = {
  /** What is to be removed, from the inside out. */
  readonly gone: readonly string[];
  /** What is to be brought, from the outside in; a folder for its mode alone where it is there. */
  readonly changed: readonly Entry[];
  /** Folders whose times are to be set at the end. */
  readonly touched: readonly string[];
  /** All that is there now. */
  readonly names: readonly string[];
};

/**
 * Each entry of the list is looked at, which is a third of the work of listing anew; only folders whose names may have
 * changed are read. Looks go by the folder's own path: by the kernel's path of what is open they take twice as long, and
 * whatever is found there by a link that was planted meanwhile is another than in the list.
 */
export function findDifferences(root: Pinned, folder: string, list: TreeList): Differences {
  const { gone, kept, changed, doubtful } = compare(folder, list);
  const rootName = path.basename(folder);
  const known = doubtful.length === 0 ? new Set<string>() : new Set(kept);
  const added = doubtful.flatMap((name) => listAdded(root, { name, rootName, known }));
  const all = [...changed, ...added];
  const names = [...kept, ...added.map(({ name }) => name)];
  const parents = [...gone, ...all.map(({ name }) => name)].map(parentOf);
  const folders = all.filter(({ kind }) => kind === "folder").map(({ name }) => name);
  const there = new Set(all.length + gone.length === 0 ? [] : names);
  const touched = [...new Set([...parents, ...folders])].filter((name) => there.has(name));
  return { gone: gone.toReversed(), changed: all, touched, names };
}

type Comparison = {
  readonly gone: string[];
  readonly kept: string[];
  readonly changed: Entry[];
  /** Folders that may hold what is not in the list. */
  readonly doubtful: string[];
};

function compare(folder: string, list: TreeList): Comparison {
  const result: Comparison = { gone: [], kept: [], changed: [], doubtful: [] };
  // What is found below the name of a folder that is none any more is something else.
  let lost: string | undefined;
  for (const [index, name] of list.names.entries()) {
    const kind = kindAt(list, index);
    const isLost = kind === undefined || (lost !== undefined && name.startsWith(lost));
    const state = isLost ? "gone" : stateOf(list, index, `${folder}/${name || "."}`);
    if (state === "gone" || state === "replaced") {
      result.gone.push(name);
      if (!isLost) lost = `${name}/`;
    } else note(result, { name, kind, state });
  }
  return result;
}

type Noted = {
  readonly name: string;
  readonly kind: Kind | undefined;
  readonly state: "same" | "changed";
};

function note({ kept, changed, doubtful }: Comparison, { name, kind, state }: Noted): void {
  kept.push(name);
  if (state === "same" || kind === undefined) return;
  changed.push({ name, kind });
  if (kind === "folder") doubtful.push(name);
}

type Doubt = {
  readonly name: string;
  readonly rootName: string;
  readonly known: ReadonlySet<string>;
};

function listAdded(root: Pinned, { name, rootName, known }: Doubt): readonly Entry[] {
  const ownName = name === "" ? rootName : path.basename(name);
  const found: Entry[] = [];
  within(root, name, (at) => {
    const folder = pinFolder(at);
    if (folder === undefined) return;
    try {
      for (const entry of listFolderNames(folder, ownName)) {
        const inner = name === "" ? entry : `${name}/${entry}`;
        if (!known.has(inner)) found.push(...listAll(`${folder.path}/${entry}`, inner));
      }
    } finally {
      folder.close();
    }
  });
  return found;
}

/** An entry, and what is in it. */
function listAll(at: string, name: string): readonly Entry[] {
  const folder = pinFolder(at);
  if (folder === undefined) {
    const kind = findKind(at);
    return kind === undefined ? [] : [{ name, kind }];
  }
  try {
    const list = listEntries(folder, path.basename(name), 0);
    return list.names.flatMap((inner, index) => {
      const kind = kindAt(list, index);
      return kind === undefined ? [] : [{ name: inner === "" ? name : `${name}/${inner}`, kind }];
    });
  } finally {
    folder.close();
  }
}

function parentOf(name: string): string {
  return name.includes("/") ? path.dirname(name) : "";
}
