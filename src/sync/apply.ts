import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { link, lstat, rename, rm, rmdir, stat } from "node:fs/promises";
import path from "node:path";

import { explainDiskFull } from "../base/disk-full.ts";
import { forEachParallel } from "../base/for-each-parallel.ts";
import { hasErrorCode, Problem } from "../base/problem.ts";
import type { Plan, PutStep, RemoveStep } from "./core/plan.ts";
import { isSameEntry, listParents } from "./core/tree.ts";
import { keepCopy, moveAway } from "./displace.ts";
import { giveToOwner, type Root, withFolderInside } from "./folder-inside.ts";
import { changedMeanwhile, syncBlocked, syncUnreadable } from "./problems.ts";
import { readEntry } from "./read-entry.ts";
import { stage } from "./stage.ts";

/** How many files are worked on side by side. */
const MOST = 16;

/** `displaced`: a folder of ours that is not there yet; what is overwritten or removed ends in it, under its own path. */
export type Transfer = {
  readonly source: string;
  readonly target: string;
  readonly displaced: string;
};

/** Each file in one instant; after a failure the rest is as it was. @throws `sync_conflict`, `sync_blocked`, `disk_full` */
export async function applyPlan(plan: Plan, transfer: Transfer): Promise<void> {
  await carryOut(plan, transfer, (_path, work) => work());
}

/** The same, but a path that cannot be brought in order is left as it is, and the others go on. @throws `disk_full` */
export async function applyPaths(
  plan: Plan,
  transfer: Transfer,
): Promise<ReadonlyMap<string, Problem>> {
  const left = new Map<string, Problem>();
  await carryOut(plan, transfer, async (name, work) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      left.set(name, error);
    }
  });
  return left;
}

type Attempt = (path: string, work: () => Promise<void>) => Promise<void>;

async function carryOut(plan: Plan, transfer: Transfer, attempt: Attempt): Promise<void> {
  const root = await openRoot(transfer.target);
  try {
    const existing = { ...root, makesFolders: false };
    await forEachParallel(plan.removals, MOST, (step) =>
      attempt(step.path, () => remove(existing, step, transfer)),
    );
    await pruneFolders(existing, plan.removals);
    await forEachParallel(plan.puts, MOST, (step) =>
      attempt(step.path, () => put(root, step, transfer)),
    );
  } catch (error) {
    throw explainDiskFull(error, transfer.target);
  }
}

async function openRoot(folder: string): Promise<Root> {
  const { uid, gid } = await statRoot(folder);
  return { folder, owner: process.getuid?.() === 0 ? { uid, gid } : null, makesFolders: true };
}

async function statRoot(folder: string): Promise<Stats> {
  try {
    return await stat(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR"))
      throw syncUnreadable(folder, "there is no such folder");
    throw error;
  }
}

async function remove(
  root: Root,
  { path: relative, expected }: RemoveStep,
  transfer: Transfer,
): Promise<void> {
  await withFolderInside(root, path.dirname(relative), async (folder) => {
    const file = path.join(folder, path.basename(relative));
    if (!isSameEntry(await readEntry(file), expected)) throw changedMeanwhile(relative);
    await moveAway({ file, path: relative, expected }, transfer.displaced);
  });
}

/** Folders that removals left empty, the deepest first. */
async function pruneFolders(root: Root, removals: readonly RemoveStep[]): Promise<void> {
  const folders = [...new Set(removals.flatMap((step) => listParents(step.path)))];
  for (const folder of folders.toSorted((a, b) => b.length - a.length)) {
    await withFolderInside(root, path.dirname(folder), async (parent) => {
      await rmdirIfEmpty(path.join(parent, path.basename(folder)));
    });
  }
}

async function rmdirIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasErrorCode(error, "ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR")) throw error;
  }
}

async function put(root: Root, step: PutStep, transfer: Transfer): Promise<void> {
  await withFolderInside(root, path.dirname(step.path), async (folder) => {
    const file = path.join(folder, path.basename(step.path));
    const temporary = path.join(folder, `.ramet-${randomBytes(6).toString("hex")}.tmp`);
    try {
      await stage(
        hasBytes(step) ? file : path.join(transfer.source, step.path),
        temporary,
        step.entry,
      );
      await giveToOwner(temporary, root);
      if (!isSameEntry(await readEntry(file), step.expected)) throw changedMeanwhile(step.path);
      if (step.expected === undefined) await create(temporary, file, step);
      else
        await replace(temporary, file, {
          ...step,
          expected: step.expected,
          displaced: transfer.displaced,
        });
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** Whether the bytes stand there already, and the executable bit alone is to change. */
function hasBytes({ entry, expected }: PutStep): boolean {
  return entry.kind === "file" && expected?.kind === "file" && entry.hash === expected.hash;
}

/** Where nothing must stand: a second name for a file is refused where something does. Links were just looked for. */
async function create(
  temporary: string,
  file: string,
  { path: relative, entry }: PutStep,
): Promise<void> {
  try {
    if (entry.kind === "file") await link(temporary, file);
    else await rename(temporary, file);
  } catch (error) {
    if (!hasErrorCode(error, "EEXIST", "EISDIR", "ENOTEMPTY")) throw error;
    throw (await lstat(file)).isDirectory() ? syncBlocked(relative) : changedMeanwhile(relative);
  }
}

async function replace(
  temporary: string,
  file: string,
  step: RemoveStep & { readonly displaced: string },
): Promise<void> {
  const { ino } = await lstat(file);
  await keepCopy({ file, path: step.path, expected: step.expected }, step.displaced);
  if ((await lstat(file)).ino !== ino) throw changedMeanwhile(step.path);
  await rename(temporary, file);
}
