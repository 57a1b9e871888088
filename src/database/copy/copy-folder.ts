import { type Dirent, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";

import { allDone } from "../../base/all-done.ts";
import { formatBytes } from "../../base/bytes.ts";
import { reflinkFile } from "../../base/copy-bytes.ts";
import { pinFile, pinFolder } from "../../base/pinned.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { giveTo } from "../place/owned-files.ts";
import { copyBehind } from "./copy-behind.ts";
import { copyInThread } from "./copy-threads.ts";
import { becomeSnapshot, stripSnapshot } from "./subvolume.ts";

export type CopyOptions = {
  /** Whether to leave out an entry: its path in the folder, and the names beside it. */
  readonly skip: (entry: string, beside: ReadonlySet<string>) => boolean;
  /** Who owns the copies; null: whoever runs this. */
  readonly uid: number | null;
  /** Given where nobody waits for the copy: it is made behind all others, until this gives it up. */
  readonly behind?: AbortSignal;
};

export type Copied = {
  readonly bytes: number;
  /** Of these: they are on the disk already. */
  readonly flushedBytes: number;
  readonly reflinked: boolean;
};

/** Few enough that no thread is left with the last of a large database, and many enough to be worth a message. */
const FILES_A_JOB = 16;
/** Copied in about 3 s by a slow disk: a client that connects meanwhile waits so long without complaint. */
const MAX_QUICK_BYTES = 500_000_000;
const MAX_QUICK_FILES = 5_000;

/**
 * Copies plain files and folders into an existing empty folder: by a snapshot where both are subvolumes of Btrfs and whoever
 * runs this owns the copies, else by reflink where the file system can. What vanishes meanwhile is left out; links, pipes and
 * sockets are, too.
 */
export async function copyFolder(
  source: string,
  target: string,
  options: CopyOptions,
): Promise<Copied> {
  if (options.uid === null && (await becomeSnapshot(source, target)))
    return { bytes: await stripSnapshot(target, options.skip), flushedBytes: 0, reflinked: true };
  const reflinked = await canReflink(source, target);
  const run: Run = { ...options, reflinked, bytes: 0, flushedBytes: 0 };
  await copyLevel({ source, target, entry: "" }, run);
  return { bytes: run.bytes, flushedBytes: run.flushedBytes, reflinked };
}

export type CopyForecast = {
  /** Whether it takes seconds at most: its blocks are shared, or they are few. */
  readonly isQuick: boolean;
  /** What it takes up, of so many files as are worth a look. */
  readonly bytes: number;
};

export async function forecastCopy(source: string, target: string): Promise<CopyForecast> {
  if (await canReflink(source, target)) return { isQuick: true, bytes: 0 };
  const { bytes, files } = measureSome(source);
  return { isQuick: bytes <= MAX_QUICK_BYTES && files <= MAX_QUICK_FILES, bytes };
}

/** Copies one file, where there is one. Resolves with whether there was. */
export async function copyPlainFile(
  source: string,
  target: string,
  { uid, reflinked }: Pick<Run, "uid" | "reflinked">,
): Promise<boolean> {
  const folder = path.dirname(source);
  const names = [path.basename(source)];
  const done = await copyInThread({ folder, names, target: path.dirname(target), uid, reflinked });
  return done.files === 1;
}

/** How it was copied, for people: `reflink 1.0 GB`. */
export function describeCopy({ bytes, reflinked }: Pick<Copied, "bytes" | "reflinked">): string {
  return `${reflinked ? "reflink" : "copied"} ${formatBytes(bytes)}`;
}

type Level = { readonly source: string; readonly target: string; readonly entry: string };
type Run = CopyOptions & { readonly reflinked: boolean; bytes: number; flushedBytes: number };

async function copyLevel({ source, target, entry }: Level, run: Run): Promise<void> {
  const folder = pinFolder(source);
  if (folder === undefined) return;
  try {
    const entries = await readdir(folder.path, { withFileTypes: true });
    const names = new Set(entries.map(({ name }) => name));
    const wanted = entries.filter(({ name }) => !run.skip(path.join(entry, name), names));
    const files = wanted.filter((one) => one.isFile()).map(({ name }) => name);
    const levels = wanted
      .filter((one) => one.isDirectory())
      .map(({ name }) => makeLevel({ source: folder.path, target, entry }, name, run.uid));
    await allDone([
      ...inJobs(files).map(async (some) =>
        copySome({ folder: folder.path, names: some, target }, run),
      ),
      ...levels.map(async (level) => copyLevel(level, run)),
    ]);
  } finally {
    folder.close();
  }
}

function makeLevel(above: Level, name: string, uid: number | null): Level {
  const target = path.join(above.target, name);
  mkdirSync(target, { mode: 0o700 });
  giveTo(target, uid);
  return { source: path.join(above.source, name), target, entry: path.join(above.entry, name) };
}

type Some = { readonly folder: string; readonly names: readonly string[]; readonly target: string };

async function copySome(some: Some, run: Run): Promise<void> {
  const { uid, reflinked, behind } = run;
  const job = { ...some, uid, reflinked };
  const done = await (behind === undefined ? copyInThread(job) : copyBehind(job, behind));
  run.bytes += done.bytes;
  run.flushedBytes += done.flushedBytes;
}

function inJobs(names: readonly string[]): readonly (readonly string[])[] {
  const jobs = Array.from({ length: Math.ceil(names.length / FILES_A_JOB) }, (_, index) => index);
  return jobs.map((job) => names.slice(job * FILES_A_JOB, (job + 1) * FILES_A_JOB));
}

/** Found by trying, with the smallest file of a data folder. */
async function canReflink(source: string, target: string): Promise<boolean> {
  const file = pinFile(path.join(source, "PG_VERSION"));
  if (file === undefined) return false;
  const probe = path.join(target, ".reflink");
  try {
    return reflinkFile(file, probe);
  } finally {
    file.close();
    await rm(probe, { force: true });
  }
}

/** Looks at no more files than a look is worth. */
function measureSome(folder: string): { readonly bytes: number; readonly files: number } {
  let [bytes, files] = [0, 0];
  const folders = [folder];
  for (const level of folders) {
    for (const entry of listIfThere(level)) {
      const inner = path.join(level, entry.name);
      if (entry.isDirectory()) folders.push(inner);
      else bytes += lstatSync(inner, { throwIfNoEntry: false })?.size ?? 0;
      files += 1;
      if (files > MAX_QUICK_FILES) return { bytes, files };
    }
  }
  return { bytes, files };
}

function listIfThere(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}
