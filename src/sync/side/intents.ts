import { createHash } from "node:crypto";

import { z } from "zod";

import { isPlainPath } from "../core/paths.ts";
import { type Entry, isSameEntry } from "../core/tree.ts";
import { type Disk, inStore, inTree, type Place } from "../disk/disk.ts";
import { entrySchema } from "../disk/entry-schema.ts";
import { readEntry } from "../disk/read-entry.ts";
import { readText } from "../disk/read-text.ts";
import { findTold } from "./aside.ts";
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

const HASH_LENGTH = 16;
/** At the beginning of one that is done with. */
const BLANK = "\n";
/** Of one pair at a time: a plan that goes by a wire comes in parts. */
const MOST_INTENTS = 1_000;
/** What a disk gives at a time. */
const BLOCK_BYTES = 4_096;
const MOST_KEPT_BYTES = 1 << 16;

/** Where nothing seals its processes off, an environment can write here too: what is none of our plans is torn. */
const stepsSchema = z.array(
  z.object({
    path: z.string().refine(isPlainPath),
    expected: entrySchema.optional(),
    entry: entrySchema.optional(),
    aside: z.string().refine((aside) => isPlainPath(aside) && !aside.endsWith("/")),
  }),
);

/**
 * Written down before the first step is taken: whoever comes after a crash knows what lies aside, and why. Over one that
 * is done with where there is any, in blocks that the disk has given already: it is on the disk in a tenth of the time
 * that a new file takes. The disk is not waited for where each name aside tells its path: after a power cut that is enough
 * to know where what lies there stood.
 */
export async function noteIntent(disk: Disk, pair: string, steps: readonly Step[]): Promise<void> {
  const durably = steps.every(({ aside }) => findTold(aside) !== undefined) ? undefined : "durably";
  for (let slot = 0; slot < MOST_INTENTS; slot += 1) {
    const place = intentAt(pair, slot);
    if (isBlank(readText(disk, place)))
      return disk.overwrite(place, sealIntent(JSON.stringify(steps)), durably);
  }
  throw new Error("Too many plans were begun and not finished.");
}

/** Finishes what is still aside, and forgets the plans: what came of them is known for good. */
export async function settleIntents(hands: Hands, pair: string): Promise<void> {
  const { disk } = hands;
  // Where nothing lies aside every step was taken to its end.
  if (listStaged(disk).length > 0) await finishIntents(hands, pair);
  for (const place of listFiles(disk, STAGED)) disk.removeFolder(place);
  for (const place of listFiles(disk, FOLDER)) {
    // A small one stays for the next.
    const isSmall = (disk.see(place)?.size ?? 0) <= MOST_KEPT_BYTES;
    if (isSmall && place.path === intentAt(pair, 0).path) await disk.overwrite(place, BLANK);
    else disk.remove(place);
  }
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
    for (const step of parseIntent(readText(disk, place)))
      if ((await finishStep(step, hands)) && isOf(pair, place)) done.set(step.path, step.entry);
  }
  // Staged for a batch that never began; or, after a power cut, of one whose intent is torn.
  for (const place of listStaged(disk)) {
    const name = nameOf(place);
    hands.trash.take(place, findTold(name)?.replace(/\/$/, "") ?? `of unknown place/${name}`);
  }
  return done;
}

function intentAt(pair: string, slot: number): Place {
  return inStore(`${FOLDER.path}/${pair}.${slot}`);
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

/** A line with its own hash, as what it is written over may be longer; and blanks, so that most take the same room. */
function sealIntent(text: string): string {
  const line = `${hashOf(text)} ${text}\n`;
  return line.padEnd(Math.ceil(line.length / BLOCK_BYTES) * BLOCK_BYTES, " ");
}

function isBlank(intent: string): boolean {
  return intent === "" || intent.startsWith(BLANK);
}

/** None of one that is done with; nor of one that is torn: it was being written, and no step had been taken. */
function parseIntent(intent: string): readonly Step[] {
  const line = intent.slice(0, intent.indexOf("\n"));
  const [hash, text] = [line.slice(0, HASH_LENGTH), line.slice(HASH_LENGTH + 1)];
  if (text === "" || hash !== hashOf(text)) return [];
  const { data: steps = [] } = stepsSchema.safeParse(parseJson(text));
  return steps.map(({ path, aside, entry, expected }) => ({ path, aside, entry, expected }));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // None of ours: no step.
    return undefined;
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}

function nameOf({ path }: Place): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What lies aside: some of it in folders. */
function listStaged(disk: Disk): readonly Place[] {
  return (disk.list(STAGED) ?? []).flatMap(({ name, kind }) => {
    const place = inStore(`${STAGED.path}/${name}`);
    return kind === "folder" ? listFiles(disk, place) : [place];
  });
}

function listFiles(disk: Disk, folder: Place): readonly Place[] {
  return (disk.list(folder) ?? []).map(({ name }) => inStore(`${folder.path}/${name}`));
}
