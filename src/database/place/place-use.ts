import { KeyedLock } from "../../base/keyed-lock.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { MAX_BACKUPS } from "./settings.ts";

const changes = new KeyedLock();
const copies = new Map<string, Set<Promise<unknown>>>();
const backups = new Map<string, { active: number; readonly waiting: (() => void)[] }>();

/** Starts and stops of one server happen one after another. */
export async function changing<T>({ folder }: DatabasePlace, work: () => Promise<T>): Promise<T> {
  return changes.run(folder, work);
}

/** Several may copy a folder at rest at once; nobody may start its server before they are done. */
export async function copyingAtRest<T>({ folder }: DatabasePlace, work: Promise<T>): Promise<T> {
  const users = copies.get(folder) ?? new Set();
  copies.set(folder, users.add(work));
  try {
    return await work;
  } finally {
    users.delete(work);
    if (users.size === 0) copies.delete(folder);
  }
}

/** Waits until nobody copies the folder at rest. To be called while `changing`, so that nobody begins to. */
export async function untilCopied({ folder }: DatabasePlace): Promise<void> {
  await Promise.allSettled(copies.get(folder) ?? new Set<Promise<unknown>>());
}

/** A bounded number of live copies of one source at a time; the others wait for their turn. */
export async function takingTurns<T>(
  { folder }: DatabasePlace,
  work: () => Promise<T>,
): Promise<T> {
  const turns = backups.get(folder) ?? { active: 0, waiting: [] };
  backups.set(folder, turns);
  if (turns.active >= MAX_BACKUPS) {
    await new Promise<void>((resolve) => turns.waiting.push(resolve));
  } else {
    turns.active += 1;
  }
  try {
    return await work();
  } finally {
    const next = turns.waiting.shift();
    if (next === undefined) turns.active -= 1;
    else next();
    if (turns.active === 0) backups.delete(folder);
  }
}
