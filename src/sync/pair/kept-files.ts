import { type Disk, inStore, type Place } from "../disk/disk.ts";
import { TRASH } from "../disk/trash.ts";

/** Something that was displaced. */
export type Kept = {
  /** Names all that was displaced at one time on one side. */
  readonly id: string;
  /** When, ISO 8601. */
  readonly at: string;
  /** Where it stood in the tree. */
  readonly path: string;
  readonly kind: "file" | "link";
  readonly bytes: number;
};

const DAY_MS = 86_400_000;
/** What is older goes; and of the rest the oldest, while all together take more. */
const KEPT_DAYS = 7;
const MOST_BYTES = 2 ** 30;
/** Some can be named, a hundred thousand cannot. */
const MOST_LISTED = 10_000;
const TIME = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3}Z)(?:-\d+)?$/;

/** What a side has displaced, the latest first. */
export async function listKept(disk: Disk): Promise<readonly Kept[]> {
  const kept: Kept[] = [];
  for (const { id, at } of listTimes(disk)) {
    const files = await listBelow(disk, placeOfKept(id, ""));
    kept.push(...files.map((file) => ({ id, at, ...file })));
    if (kept.length > MOST_LISTED) break;
  }
  return kept;
}

/** Where something that is kept lies; "": all of that time. */
export function placeOfKept(id: string, path: string): Place {
  return inStore([TRASH, id, ...(path === "" ? [] : [path])].join("/"));
}

/** Removes what is kept long enough, and what is too much. */
export async function pruneKept(disk: Disk, nowMs: number): Promise<void> {
  let bytes = 0;
  for (const { id, at } of listTimes(disk)) {
    const place = placeOfKept(id, "");
    const files = await listBelow(disk, place);
    bytes += files.reduce((sum, file) => sum + file.bytes, 0);
    const isOld = nowMs - Date.parse(at) > KEPT_DAYS * DAY_MS;
    if (isOld || bytes > MOST_BYTES) await removeAll(disk, place);
  }
}

/** The latest first. */
function listTimes(disk: Disk): readonly { readonly id: string; readonly at: string }[] {
  const names = (disk.list(inStore(TRASH)) ?? []).map(({ name }) => name);
  return names
    .filter((name) => TIME.test(name))
    .toSorted((a, b) => (a < b ? 1 : -1))
    .map((id) => ({ id, at: id.replace(TIME, "$1$2:$3:$4") }));
}

async function listBelow(
  disk: Disk,
  top: Place,
): Promise<readonly Pick<Kept, "path" | "kind" | "bytes">[]> {
  const found: Pick<Kept, "path" | "kind" | "bytes">[] = [];
  const folders = [top];
  for (const folder of folders) {
    await disk.breathe();
    for (const { name } of disk.list(folder) ?? []) {
      const place = inStore(`${folder.path}/${name}`);
      const seen = disk.see(place);
      if (seen?.kind === "folder") folders.push(place);
      if (seen?.kind !== "file" && seen?.kind !== "link") continue;
      found.push({
        path: place.path.slice(top.path.length + 1),
        kind: seen.kind,
        bytes: seen.size,
      });
    }
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function removeAll(disk: Disk, folder: Place): Promise<void> {
  for (const { name, kind } of disk.list(folder) ?? []) {
    await disk.breathe();
    const place = inStore(`${folder.path}/${name}`);
    if (kind === "folder") await removeAll(disk, place);
    else disk.remove(place);
  }
  disk.removeFolder(folder);
}
