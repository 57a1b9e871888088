import path from "node:path";

import { systemClock } from "../../base/clock.ts";
import type { PutStep } from "../core/plan.ts";
import { isSameEntry } from "../core/tree.ts";
import { type Disk, inTree } from "../disk/disk.ts";
import { trashUnknown } from "../disk/problems.ts";
import { readEntry } from "../disk/read-entry.ts";
import type { Applied } from "../side/side.ts";
import { TreeSide } from "../side/tree-side.ts";
import { type Kept, listKept, placeOfKept } from "./kept-files.ts";
import { type Sides, type StoredTree, withDisk } from "./pairs.ts";
import { WorkspaceLock } from "./workspace-lock.ts";

export type SideName = "workspace" | "environment";

/** Both sides; or the one of them that is on this machine. */
export type TrashSides = Sides | Pick<Sides, "local"> | Pick<Sides, "remote" | "home">;

/** Something that was displaced, and on which side. */
export type Trashed = Kept & { readonly side: SideName };

export type Restored = {
  readonly restored: readonly Pick<Trashed, "side" | "path">[];
  /** The folders where what stood there instead is kept. */
  readonly displaced: readonly string[];
  readonly left: Applied["left"];
};

type Wanted = { readonly id: string; readonly paths: readonly string[] };
type TrashTree = StoredTree & { readonly side: SideName };

/** What has been displaced, the latest first. */
export async function listTrash(sides: TrashSides): Promise<readonly Trashed[]> {
  const kept = treesOf(sides).map(async (one) =>
    withDisk(one, async (disk) => listOf(disk, one.side)),
  );
  return (await Promise.all(kept)).flat().toSorted((a, b) => b.id.localeCompare(a.id, "en"));
}

/**
 * Puts back what was displaced at one time: all of it, or these paths and what lies below them. What stands there is
 * displaced in turn, and the copy in the trash stays. @throws `trash_unknown`, `disk_full`
 */
export async function restoreTrash(sides: TrashSides, wanted: Wanted): Promise<Restored> {
  const done: { readonly side: SideName; readonly applied: Applied }[] = [];
  for (const one of treesOf(sides)) {
    const restore = async (): Promise<Applied | undefined> => restoreOn(one, wanted);
    const isFar = !("remote" in sides);
    const applied = await (isFar ? new WorkspaceLock(one.tree).run(restore) : restore());
    if (applied !== undefined) done.push({ side: one.side, applied });
  }
  if (done.length === 0) throw trashUnknown(wanted.id, wanted.paths);
  return {
    restored: done.flatMap(({ side, applied }) =>
      [...applied.done.keys()].map((name) => ({ side, path: name })),
    ),
    displaced: done.flatMap(({ applied: { displaced } }) => displaced ?? []),
    left: new Map(done.flatMap(({ applied }) => [...applied.left])),
  };
}

function treesOf(sides: TrashSides): readonly TrashTree[] {
  const trees: TrashTree[] = [];
  if ("local" in sides)
    trees.push({
      side: "workspace",
      tree: sides.local,
      store: path.join(sides.local, ".ramet"),
    });
  if ("remote" in sides) trees.push({ side: "environment", tree: sides.remote, store: sides.home });
  return trees;
}

/** undefined: nothing of what is wanted is kept there. */
function restoreOn(one: TrashTree, wanted: Wanted): Promise<Applied | undefined> {
  return withDisk(one, async (disk) => {
    const kept = (await listOf(disk, one.side)).filter((file) => isWanted(file, wanted));
    return kept.length === 0 ? undefined : putBackOn(one, kept, disk);
  });
}

async function listOf(disk: Disk, side: SideName): Promise<readonly Trashed[]> {
  return (await listKept(disk)).map((kept) => ({ ...kept, side }));
}

function isWanted({ id, path: name }: Kept, wanted: Wanted): boolean {
  const isNamed = wanted.paths.some((one) => name === one || name.startsWith(`${one}/`));
  return id === wanted.id && (wanted.paths.length === 0 || isNamed);
}

async function putBackOn(
  { store }: TrashTree,
  kept: readonly Kept[],
  disk: Disk,
): Promise<Applied> {
  const places = new Map(kept.map(({ id, path: name }) => [name, placeOfKept(id, name)]));
  const puts: PutStep[] = [];
  for (const [name, place] of places) {
    const [entry, expected] = [await readEntry(disk, place), await readEntry(disk, inTree(name))];
    if (entry !== undefined && !isSameEntry(entry, expected))
      puts.push({ path: name, entry, expected });
  }
  const side = new TreeSide({
    disk,
    clock: systemClock,
    hints: { take: () => null, follow: () => false, leave: () => undefined },
    pair: "restored",
    store,
  });
  const applied = await side.apply(
    { removals: [], puts },
    { read: (name) => disk.read(places.get(name) ?? inTree(name)) },
  );
  await side.commit();
  return applied;
}
