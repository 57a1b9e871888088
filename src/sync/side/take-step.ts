import { Problem } from "../../base/problem.ts";
import { type Entry, isSameEntry } from "../core/tree.ts";
import { type Disk, inStore, inTree, type Place } from "../disk/disk.ts";
import { changedMeanwhile, syncBlocked } from "../disk/problems.ts";
import { readEntry } from "../disk/read-entry.ts";
import type { Trash } from "../disk/trash.ts";
import { nameMoved } from "./aside.ts";

/** A step of a plan; `aside` names two places of the store: what is to be put, and what was moved out of its way. */
export type Step = {
  readonly path: string;
  readonly expected: Entry | undefined;
  readonly entry: Entry | undefined;
  readonly aside: string;
};

/** What taking a step needs. */
export type Hands = {
  readonly disk: Disk;
  readonly trash: Trash;
  /** Whether what stands there, or was moved from there to a place, is known to be what was last read, without reading it. */
  readonly isAsRead: (path: string, entry: Entry, moved?: Place) => boolean;
};

/** Somebody who writes again and again, in the instant between two system calls, is let be. */
const MOST_EXCHANGES = 5;

export function stagedAt(aside: string): Place {
  return inStore(`staged/${aside}`);
}

export function movedAt(aside: string): Place {
  return inStore(`staged/${nameMoved(aside)}`);
}

/**
 * Takes one step, so that no byte that stood there is overwritten, whoever writes meanwhile: what is displaced is looked
 * at only when nobody reaches it any more, and goes back unless it is what was expected. @throws `sync_conflict`, `sync_blocked`
 */
export async function takeStep(step: Step, hands: Hands): Promise<void> {
  const { expected, entry, path } = step;
  if (entry?.kind === "folder") return makeFolder(path, hands);
  if (expected?.kind === "folder") return void hands.disk.removeFolder(placeOf(path));
  if (expected === undefined) return entry === undefined ? undefined : create(step, entry, hands);
  if (!(await isExpected(step, hands))) throw unexposed(step, hands);
  if (entry === undefined) return remove(step, hands);
  return replace(step, entry, hands);
}

/** Puts what was moved away back, unless something new stands there: then it is kept in the trash. */
export function putBack(from: Place, path: string, { disk, trash }: Hands): void {
  if (!isBack(from, path, disk)) trash.take(from, path);
}

/**
 * Somebody wrote between the look and the exchange: theirs goes back, and ours comes out again. Who writes once more in
 * that very instant has the last word. What comes out is kept even if it is ours: somebody may have it open.
 */
export async function exchangeBack(step: Step, entry: Entry, hands: Hands): Promise<void> {
  const { disk, trash } = hands;
  const staged = stagedAt(step.aside);
  let onTop: Entry | undefined = entry;
  let below = await readEntry(disk, staged);
  for (let count = 0; count < MOST_EXCHANGES; count += 1) {
    if (disk.exchange(staged, placeOf(step.path)) !== "done") break;
    const put = below;
    below = await readEntry(disk, staged);
    if (isSameEntry(below, onTop)) break;
    onTop = put;
  }
  trash.take(staged, step.path);
}

function makeFolder(path: string, { disk }: Hands): void {
  disk.makeFolder(placeOf(path));
  // Somebody has just removed one that was held open.
  if (disk.see(placeOf(path))?.kind !== "folder") throw changedMeanwhile(path);
}

function create(step: Step, entry: Entry, hands: Hands): void {
  const { disk } = hands;
  const isThere = isPut(step, entry, disk);
  if (isThere) return disk.remove(stagedAt(step.aside));
  const isBlocked = disk.see(placeOf(step.path))?.kind === "folder";
  const problem = unexposed(step, hands);
  throw isBlocked ? syncBlocked(step.path) : problem;
}

/** Nobody has seen what was staged: nothing of anybody's can be in it. */
function unexposed({ path, aside }: Step, { disk }: Hands): Problem {
  disk.remove(stagedAt(aside));
  return changedMeanwhile(path);
}

async function remove(step: Step, hands: Hands): Promise<void> {
  const { disk, trash } = hands;
  const away = movedAt(step.aside);
  // Gone already, as it was to be.
  if (!disk.move(placeOf(step.path), away)) return;
  if (await isExpected(step, hands, away)) return void trash.take(away, step.path);
  putBack(away, step.path, hands);
  throw changedMeanwhile(step.path);
}

async function replace(step: Step, entry: Entry, hands: Hands): Promise<void> {
  const staged = stagedAt(step.aside);
  const outcome = hands.disk.exchange(staged, placeOf(step.path));
  if (outcome === "unable") return replaceByMoving(step, entry, hands);
  if (outcome === "gone") throw unexposed(step, hands);
  await settleExchange(step, entry, hands);
}

/** Both have changed places: what came out is kept if it is what was expected, else goes back. @throws `sync_conflict` */
export async function settleExchange(step: Step, entry: Entry, hands: Hands): Promise<void> {
  const staged = stagedAt(step.aside);
  if (await isExpected(step, hands, staged)) return void hands.trash.take(staged, step.path);
  await exchangeBack(step, entry, hands);
  throw changedMeanwhile(step.path);
}

/** For an instant nothing stands there: only where two files cannot change places. */
async function replaceByMoving(step: Step, entry: Entry, hands: Hands): Promise<void> {
  const { disk, trash } = hands;
  const away = movedAt(step.aside);
  if (!disk.move(placeOf(step.path), away)) throw unexposed(step, hands);
  const isSame = await isExpected(step, hands, away);
  const isThere = isSame && isPutAgain(step, entry, disk);
  if (isThere) trash.take(away, step.path);
  else putBack(away, step.path, hands);
  const problem = unexposed(step, hands);
  if (!isThere) throw problem;
}

/** Where nothing stands: false where something does. */
function isPut({ path, aside }: Step, entry: Entry, disk: Disk): boolean {
  return entry.kind === "link"
    ? disk.makeLink(entry.target, placeOf(path))
    : disk.link(stagedAt(aside), placeOf(path));
}

/** The same where what stood there is aside already: a file in place of a folder above it is no reason to leave it there. */
export function isPutAgain(step: Step, entry: Entry, disk: Disk): boolean {
  try {
    return isPut(step, entry, disk);
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

function isBack(from: Place, path: string, disk: Disk): boolean {
  try {
    const target = disk.readLink(from);
    if (target === undefined && disk.see(from)?.kind === "folder")
      return disk.see(placeOf(path)) === undefined && disk.move(from, placeOf(path));
    const isThere =
      target === undefined ? disk.link(from, placeOf(path)) : disk.makeLink(target, placeOf(path));
    if (isThere) disk.remove(from);
    return isThere;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** @param moved where it lies now; else it stands where it stood */
async function isExpected(
  { path, expected }: Step,
  { disk, isAsRead }: Hands,
  moved?: Place,
): Promise<boolean> {
  if (expected !== undefined && isAsRead(path, expected, moved)) return true;
  return isSameEntry(await readEntry(disk, moved ?? placeOf(path)), expected);
}

/** An empty folder's path has a slash at its end. */
function placeOf(path: string): Place {
  return inTree(path.replace(/\/$/, ""));
}
