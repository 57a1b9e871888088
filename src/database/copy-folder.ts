import { type Dirent, fstatSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { copyBytes, reflinkFile } from "./copy-file.ts";
import { giveTo, pinFile, pinFolder } from "./owned-files.ts";

export type CopyOptions = {
  /** Whether to leave out an entry: its path in the folder, and the names beside it. */
  readonly skip: (entry: string, beside: ReadonlySet<string>) => boolean;
  /** Who owns the copies; null: whoever runs this. */
  readonly uid: number | null;
};

export type Copied = { readonly bytes: number; readonly reflinked: boolean };

/** Files at a time: enough to keep libuv's four threads busy. */
const LANES = 16;
/** Copied in about 3 s by a slow disk: a client that connects meanwhile waits so long without complaint. */
const MAX_QUICK_BYTES = 500_000_000;
const MAX_QUICK_FILES = 5_000;

/**
 * Copies plain files and folders into an existing empty folder, by reflink where the file system can. What vanishes
 * meanwhile is left out; links, pipes and sockets are, too.
 */
export async function copyFolder(
  source: string,
  target: string,
  options: CopyOptions,
): Promise<Copied> {
  const reflinked = await canReflink(source, target);
  const run: Run = { ...options, reflinked, bytes: 0 };
  await copyLevel({ source, target, entry: "" }, run);
  return { bytes: run.bytes, reflinked };
}

/** Whether a copy takes seconds at most: its blocks are shared, or they are few. */
export async function isQuickToCopy(source: string, target: string): Promise<boolean> {
  return (await canReflink(source, target)) || isSmall(source);
}

/** Copies one file; false when it is gone, or no plain file. */
export async function copyPlainFile(
  source: string,
  target: string,
  { uid, reflinked }: Pick<Run, "uid" | "reflinked">,
): Promise<number | undefined> {
  const file = pinFile(source);
  if (file === undefined) return undefined;
  try {
    const cloned = reflinked && (await reflinkFile(file, target));
    if (!cloned) await copyBytes(file, target);
    giveTo(target, uid);
    return fstatSync(file.fd).size;
  } finally {
    file.close();
  }
}

/** How it was copied, for people: `reflink 1.0 GB`. */
export function describeCopy({ bytes, reflinked }: Copied): string {
  return `${reflinked ? "reflink" : "copied"} ${formatBytes(bytes)}`;
}

type Level = { readonly source: string; readonly target: string; readonly entry: string };
type Run = CopyOptions & { readonly reflinked: boolean; bytes: number };

async function copyLevel({ source, target, entry }: Level, run: Run): Promise<void> {
  const folder = pinFolder(source);
  if (folder === undefined) return;
  try {
    const entries = await readdir(folder.path, { withFileTypes: true });
    const names = new Set(entries.map(({ name }) => name));
    const wanted = entries.filter(({ name }) => !run.skip(path.join(entry, name), names));
    const below = ({ name }: { name: string }): Level => ({
      source: path.join(folder.path, name),
      target: path.join(target, name),
      entry: path.join(entry, name),
    });
    await inLanes(wanted.filter((one) => one.isFile()).map(below), async (file) => {
      const bytes = await copyPlainFile(file.source, file.target, run);
      run.bytes += bytes ?? 0;
    });
    for (const level of wanted.filter((one) => one.isDirectory()).map(below)) {
      mkdirSync(level.target, { mode: 0o700 });
      giveTo(level.target, run.uid);
      await copyLevel(level, run);
    }
  } finally {
    folder.close();
  }
}

/** Found by trying, with the smallest file of a data folder. */
async function canReflink(source: string, target: string): Promise<boolean> {
  const file = pinFile(path.join(source, "PG_VERSION"));
  if (file === undefined) return false;
  const probe = path.join(target, ".reflink");
  try {
    return await reflinkFile(file, probe);
  } finally {
    file.close();
    await rm(probe, { force: true });
  }
}

/** Looks at no more files than a look is worth. */
function isSmall(folder: string): boolean {
  let [bytes, files] = [0, 0];
  const folders = [folder];
  for (const level of folders) {
    for (const entry of listIfThere(level)) {
      const inner = path.join(level, entry.name);
      if (entry.isDirectory()) folders.push(inner);
      else bytes += lstatSync(inner, { throwIfNoEntry: false })?.size ?? 0;
      files += 1;
      if (bytes > MAX_QUICK_BYTES || files > MAX_QUICK_FILES) return false;
    }
  }
  return true;
}

function listIfThere(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** Does the work for all, a bounded number at a time; a failure is thrown once none is under way. */
async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const lane = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  const outcomes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${Math.ceil(bytes / 1e6)} MB`;
}
