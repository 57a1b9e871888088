import { systemClock } from "../base/clock.ts";
import type { PutStep } from "./core/plan.ts";
import { isSameEntry } from "./core/tree.ts";
import { type Disk, inTree } from "./disk.ts";
import { type Kept, listKept, placeOfKept } from "./kept-files.ts";
import { type DiskName, type Sides, storesOf, withDisks } from "./pairs.ts";
import { trashUnknown } from "./problems.ts";
import { readEntry } from "./read-entry.ts";
import type { Applied } from "./side.ts";
import { TreeSide } from "./tree-side.ts";

export type SideName = "workspace" | "environment";

/** Something that was displaced, and on which side. */
export type Trashed = Kept & { readonly side: SideName };

export type Restored = {
  readonly restored: readonly Pick<Trashed, "side" | "path">[];
  /** The folders where what stood there instead is kept. */
  readonly displaced: readonly string[];
  readonly left: Applied["left"];
};

const DISKS = { workspace: "local", environment: "remote" } as const;
const NAMES: readonly SideName[] = ["workspace", "environment"];

/** What both sides have displaced, the latest first. */
export function listTrash(sides: Sides): Promise<readonly Trashed[]> {
  return withDisks(sides, async (disks) => {
    const kept = NAMES.map(async (side) => listOf(disks[DISKS[side]], side));
    return (await Promise.all(kept)).flat().toSorted((a, b) => b.id.localeCompare(a.id, "en"));
  });
}

/**
 * Puts back what was displaced at one time: all of it, or these paths and what lies below them. What stands there is
 * displaced in turn, and the copy in the trash stays. @throws `trash_unknown`, `disk_full`
 */
export function restoreTrash(
  sides: Sides,
  wanted: { readonly id: string; readonly paths: readonly string[] },
): Promise<Restored> {
  return withDisks(sides, async (disks) => {
    const done: Applied[] = [];
    const restored: Pick<Trashed, "side" | "path">[] = [];
    for (const side of NAMES) {
      const kept = (await listOf(disks[DISKS[side]], side)).filter((one) => isWanted(one, wanted));
      if (kept.length === 0) continue;
      const applied = await putBackOn(sides, DISKS[side], { kept, disk: disks[DISKS[side]] });
      done.push(applied);
      restored.push(...[...applied.done.keys()].map((path) => ({ side, path })));
    }
    if (done.length === 0) throw trashUnknown(wanted.id, wanted.paths);
    return {
      restored,
      displaced: done.map(({ displaced }) => displaced).filter((folder) => folder !== null),
      left: new Map(done.flatMap(({ left }) => [...left])),
    };
  });
}

async function listOf(disk: Disk, side: SideName): Promise<readonly Trashed[]> {
  return (await listKept(disk)).map((kept) => ({ ...kept, side }));
}

function isWanted(
  { id, path }: Kept,
  wanted: { readonly id: string; readonly paths: readonly string[] },
): boolean {
  const isNamed = wanted.paths.some((one) => path === one || path.startsWith(`${one}/`));
  return id === wanted.id && (wanted.paths.length === 0 || isNamed);
}

async function putBackOn(
  sides: Sides,
  name: DiskName,
  { kept, disk }: { readonly kept: readonly Kept[]; readonly disk: Disk },
): Promise<Applied> {
  const places = new Map(kept.map(({ id, path }) => [path, placeOfKept(id, path)]));
  const puts: PutStep[] = [];
  for (const [path, place] of places) {
    const [entry, expected] = [await readEntry(disk, place), await readEntry(disk, inTree(path))];
    if (entry !== undefined && !isSameEntry(entry, expected)) puts.push({ path, entry, expected });
  }
  const side = new TreeSide({
    disk,
    clock: systemClock,
    hints: { take: () => null, follow: () => false, leave: () => undefined },
    pair: "restored",
    store: storesOf(sides)[name],
  });
  const applied = await side.apply(
    { removals: [], puts },
    { read: (path) => disk.read(places.get(path) ?? inTree(path)) },
  );
  await side.commit();
  return applied;
}
