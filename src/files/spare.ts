import { rename } from "node:fs/promises";
import path from "node:path";

import { ThreadPool } from "../base/thread-pool.ts";
import type { ProcessUser } from "../process/process.ts";
import type { TreePair } from "./copy-files.ts";
import { copyTree } from "./copy-tree.ts";
import type { Owner } from "./give-all.ts";
import { openPair } from "./open-pair.ts";
import type { Survey } from "./survey-tree.ts";
import { runTool } from "./tools.ts";
import type { TreeDone, TreeJob } from "./tree-jobs.ts";
import { moveVirtualEnvironment } from "./virtual-environment.ts";

/** A spare copy lies in a folder of its own, which nobody else reaches, and is of this entry of a tree. */
export type SparePlace = { readonly folder: string; readonly root: string; readonly name: string };

/** Two, so that nobody who forks waits for a survey. */
const pool = new ThreadPool<TreeJob, TreeDone>({
  program: path.join(import.meta.dirname, "tree-worker.js"),
  most: 2,
});

/** Some ten megabytes. */
const JOBS_A_FLUSH = 4;

/** Writes down what there is to be copied. */
export async function surveySpare(
  { folder, root, name }: SparePlace,
  nowMs: number,
): Promise<Survey> {
  return pool.run({ kind: "survey", root, name, list: listIn(folder), nowMs });
}

export type Filling = {
  /** Awaited again and again; throws when it is to be given up. */
  readonly pause: () => Promise<void>;
  /** Whose all of it becomes; null: we cannot give anything away. */
  readonly owner: Owner | null;
};

/** Copies what was surveyed, behind everything else. */
export async function fillSpare(
  { folder, root, name }: SparePlace,
  { pause, owner }: Filling,
): Promise<void> {
  let jobs = 0;
  const pauseAndFlush = async (): Promise<void> => {
    await pause();
    jobs += 1;
    if (jobs % JOBS_A_FLUSH === 0) await flush(folder);
  };
  await copyTree(path.join(root, name), treeIn(folder), { pause: pauseAndFlush });
  await pause();
  await pool.run({ kind: "settle", copy: treeIn(folder), list: listIn(folder), owner });
  await flush(folder);
}

/** An entry of a tree, and the tree on the same file system in which a copy of it is to stand. */
export type SpareUse = Pick<TreePair, "source" | "target"> & {
  readonly name: string;
  readonly user: ProcessUser | null;
};

/** `owner`: whose all of it is already. */
export type MadeSpare = { readonly folder: string; readonly owner: Owner | null };

/** Whose a tree becomes that is to be this user's; null: we cannot give anything away. */
export function findOwner(user: Owner | null): Owner | null {
  if (process.getuid?.() !== 0) return null;
  return user === null ? { uid: 0, gid: 0 } : { uid: user.uid, gid: user.gid };
}

/** Makes the spare copy what its original is now. False: it is too different. @throws `copy_failed` when there is no source */
export async function renewSpare(
  { folder, owner }: MadeSpare,
  { source, target, name, user }: SpareUse,
): Promise<boolean> {
  const { sourceNames } = await openPair(source, target);
  const links = { from: sourceNames, to: target };
  const { isRenewed } = await pool.run({
    kind: "renew",
    root: source,
    name,
    copy: treeIn(folder),
    list: listIn(folder),
    links,
    owner: findOwner(user),
    copyOwner: owner,
  });
  if (isRenewed) await moveVirtualEnvironment(treeIn(folder), links);
  return isRenewed;
}

/** Moves it to where nothing stands yet. */
export async function moveSpare(folder: string, { target, name }: SpareUse): Promise<void> {
  await rename(treeIn(folder), path.join(target, name));
}

/** Whoever writes durably meanwhile waits for little of ours; and what is called whole is so after a power cut, too. */
async function flush(folder: string): Promise<void> {
  const args = process.platform === "linux" ? ["-f", folder] : [];
  await runTool("sync", args, { folder });
}

function treeIn(folder: string): string {
  return path.join(folder, "tree");
}

function listIn(folder: string): string {
  return path.join(folder, "list");
}
