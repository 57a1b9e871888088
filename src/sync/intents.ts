import { randomBytes } from "node:crypto";

import { z } from "zod";

import { type Entry, isSameEntry } from "./core/tree.ts";
import { type Disk, inStore, inTree, type Place } from "./disk.ts";
import { entrySchema } from "./entry-schema.ts";
import { readEntry } from "./read-entry.ts";
import {
  exchangeBack,
  type Hands,
  isPutAgain,
  movedAt,
  putBack,
  type Step,
  stagedAt,
} from "./take-step.ts";

const FOLDER = inStore("intents");
const STAGED = inStore("staged");

const stepsSchema = z.array(
  z.object({
    path: z.string(),
    expected: entrySchema.optional(),
    entry: entrySchema.optional(),
    aside: z.string(),
  }),
);

/** Written down before the first step is taken: whoever comes after a crash knows what lies aside, and why. */
export function noteIntent(disk: Disk, pair: string, steps: readonly Step[]): void {
  const name = `${pair}.${randomBytes(6).toString("hex")}`;
  disk.note(inStore(`${FOLDER.path}/${name}`), JSON.stringify(steps));
}

/** Once what came of it is known for good. */
export function forgetIntents(disk: Disk): void {
  for (const place of listFiles(disk, FOLDER)) disk.remove(place);
}

/**
 * Finishes what was begun: each path is as it was or as it was to be, and nothing is left aside. Resolves with what
 * stands where it was to, by this pair's plans: what another put there says nothing about this one.
 */
export async function finishIntents(
  hands: Hands,
  pair: string,
): Promise<ReadonlyMap<string, Entry | undefined>> {
  const { disk } = hands;
  const done = new Map<string, Entry | undefined>();
  for (const place of listFiles(disk, FOLDER)) {
    // Torn: it was being written, and no step had been taken.
    for (const step of parseSteps(readText(disk, place)) ?? [])
      if ((await finishStep(step, hands)) && isOf(pair, place)) done.set(step.path, step.entry);
  }
  // Staged for a batch that never began; or, after a power cut, of one whose intent is torn.
  for (const place of listFiles(disk, STAGED))
    hands.trash.take(place, `of unknown place/${nameOf(place)}`);
  return done;
}

function isOf(pair: string, { path }: Place): boolean {
  return path.startsWith(`${FOLDER.path}/${pair}.`);
}

async function finishStep(step: Step, hands: Hands): Promise<boolean> {
  const { disk } = hands;
  if (disk.see(movedAt(step.aside)) !== undefined) await finishMoved(step, hands);
  if (disk.see(stagedAt(step.aside)) !== undefined) await finishStaged(step, hands);
  if (step.entry?.kind === "folder") return disk.see(inTree(step.path.slice(0, -1))) !== undefined;
  return isSameEntry(await readEntry(disk, inTree(step.path)), step.entry);
}

async function finishMoved(step: Step, hands: Hands): Promise<void> {
  const { disk, trash } = hands;
  const { path, expected, entry, aside } = step;
  const away = movedAt(aside);
  const isExpected = isSameEntry(await readEntry(disk, away), expected);
  if (isExpected && entry === undefined) return void trash.take(away, path);
  const isReady = entry !== undefined && isSameEntry(await readEntry(disk, stagedAt(aside)), entry);
  if (isExpected && isReady && isPutAgain(step, entry, disk)) return void trash.take(away, path);
  putBack(away, path, hands);
}

async function finishStaged(step: Step, hands: Hands): Promise<void> {
  const { disk, trash } = hands;
  const { path, expected, entry, aside } = step;
  const place = stagedAt(aside);
  // Another name of what was put there.
  if (disk.see(place)?.bytes === disk.see(inTree(path))?.bytes) return disk.remove(place);
  const staged = await readEntry(disk, place);
  const isTheirs = !isSameEntry(staged, entry) && !isSameEntry(staged, expected);
  const isOnTop = isSameEntry(await readEntry(disk, inTree(path)), entry);
  if (entry !== undefined && isTheirs && isOnTop) return exchangeBack(step, entry, hands);
  trash.take(place, path);
}

function parseSteps(text: string): readonly Step[] | undefined {
  try {
    return stepsSchema.parse(JSON.parse(text)).map(({ path, aside, entry, expected }) => ({
      path,
      aside,
      entry,
      expected,
    }));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

function nameOf({ path }: Place): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function listFiles(disk: Disk, folder: Place): readonly Place[] {
  return (disk.list(folder) ?? []).map(({ name }) => inStore(`${folder.path}/${name}`));
}

function readText(disk: Disk, place: Place): string {
  return Buffer.concat([...disk.read(place)].map((part) => Buffer.from(part))).toString();
}
