import { createHash } from "node:crypto";
import { closeSync, linkSync, rmSync, unlinkSync } from "node:fs";

import { answerWith } from "../../base/thread-pool.ts";
import type { Answer } from "../../base/thread-pool.ts";
import type { CopiedAhead, Examined, KeptFile, Placed, Seen, StampedFolder } from "./disk.ts";
import { exchangeFiles } from "./exchange-files.ts";
import { PinnedFolders } from "./pinned-folders.ts";
import { createPlain, type Owner, PART_BYTES, readPlain, writeWhole } from "./plain-file.ts";
import { seeFile } from "./see-file.ts";
import { isAsStamped } from "./survey-folder.ts";

export type FileCopy = {
  readonly from: string;
  readonly to: string;
  readonly executable: boolean;
  readonly owner: Owner | null;
};

export type FileAhead = Omit<FileCopy, "executable"> & {
  /** Which needs no copy; null: each does. */
  readonly version: string | null;
  readonly mostBytes: number;
};

export type FileMove = {
  readonly from: string;
  readonly to: string;
  /** Of what stands there, and is to come out; null: nothing may. */
  readonly version: string | null;
};

export type FileJob =
  | {
      readonly kind: "examine";
      readonly files: readonly string[];
      /** Which is known of each. */
      readonly versions: readonly (string | null)[];
      readonly exact: bigint | null;
    }
  | { readonly kind: "survey"; readonly root: string; readonly folders: readonly StampedFolder[] }
  | { readonly kind: "copy"; readonly copies: readonly FileCopy[] }
  | { readonly kind: "ahead"; readonly copies: readonly FileAhead[]; readonly exact: bigint | null }
  | { readonly kind: "place"; readonly moves: readonly FileMove[]; readonly exact: bigint | null }
  | { readonly kind: "keep"; readonly moves: readonly KeptFile[] };

/** Of each file in turn; of jobs of other kinds nothing. */
export type FilesDone = {
  /** By number, without those that are the same: most are, and what crosses to another thread is copied. */
  readonly examined: readonly (readonly [index: number, Answer<Examined>])[];
  /** Numbers of folders that are as they were stamped. */
  readonly same: readonly number[];
  /** Of the bytes that were copied. */
  readonly hashes: readonly Answer<string>[];
  readonly ahead: readonly Answer<CopiedAhead | null>[];
  readonly placed: readonly Answer<Placed>[];
  readonly kept: readonly Answer<void>[];
};

const NOTHING: FilesDone = {
  examined: [],
  same: [],
  hashes: [],
  ahead: [],
  placed: [],
  kept: [],
};

const buffer = Buffer.allocUnsafeSlow(PART_BYTES);

/** Does a job in a thread of its own, for another: what fails with one file says nothing about the others. */
export function answerFileJob(job: FileJob): Promise<Answer<FilesDone>> {
  return answerWith(async () => {
    if (job.kind === "copy") return { ...NOTHING, hashes: await answerEach(job.copies, copyFile) };
    if (job.kind === "survey") return { ...NOTHING, same: surveyFolders(job.root, job.folders) };
    if (job.kind === "keep") return { ...NOTHING, kept: await answerEach(job.moves, keepFile) };
    const { exact } = job;
    if (job.kind === "ahead")
      return { ...NOTHING, ahead: await answerEach(job.copies, (copy) => copyAhead(copy, exact)) };
    if (job.kind === "place")
      return { ...NOTHING, placed: await answerEach(job.moves, (move) => placeFile(move, exact)) };
    const { versions } = job;
    const examine = (file: string, index: number): Examined =>
      examineFile(file, versions[index] ?? null, exact);
    const examined = [...(await answerEach(job.files, examine)).entries()];
    return { ...NOTHING, examined: examined.filter(([, answer]) => !isSame(answer)) };
  });
}

function answerEach<T, Done>(
  items: readonly T[],
  work: (item: T, index: number) => Done,
): Promise<readonly Answer<Done>[]> {
  return Promise.all(items.map(async (item, index) => answerWith(() => work(item, index))));
}

function isSame(answer: Answer<Examined>): boolean {
  return "done" in answer && answer.done.kind === "same";
}

function examineFile(file: string, version: string | null, exact: bigint | null): Examined {
  const seen = seeFile(file, exact);
  if (seen?.version === version) return { kind: "same" };
  if (seen?.kind !== "file") return { kind: "other" };
  const hash = hashFile(file);
  const isStill = seeFile(file, exact)?.version === seen.version;
  return isStill ? { kind: "file", seen, hash } : { kind: "other" };
}

function surveyFolders(root: string, stamped: readonly StampedFolder[]): readonly number[] {
  // Nothing is made in them, for nobody.
  const folders = new PinnedFolders(root, { owner: null, mode: 0 });
  try {
    return stamped.flatMap((one, index) =>
      isAsStampedIfRead(one, { root, folders }) ? [index] : [],
    );
  } finally {
    folders.close();
  }
}

/** False: whoever looks at it in turn is told why it cannot be read. */
function isAsStampedIfRead(...[folder, tree]: Parameters<typeof isAsStamped>): boolean {
  try {
    return isAsStamped(folder, tree);
  } catch {
    // It may not be read, or has just gone.
    return false;
  }
}

function hashFile(file: string): string {
  const hash = createHash("sha256");
  for (const part of readPlain(file, buffer)) hash.update(part);
  return hash.digest("hex");
}

function copyFile({ from, to, ...options }: FileCopy): string {
  const hash = createHash("sha256");
  const descriptor = createPlain(to, options);
  try {
    for (const part of readPlain(from, buffer)) {
      hash.update(part);
      writeWhole(descriptor, part);
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest("hex");
}

/** Of one that is being written, and of what failed, nothing is left. */
function copyAhead(
  { version, mostBytes, ...copy }: FileAhead,
  exact: bigint | null,
): CopiedAhead | null {
  const { from, to } = copy;
  const seen = seeFile(from, exact);
  if (seen?.kind !== "file" || seen.version === version || seen.size > mostBytes) return null;
  let made: Seen | undefined;
  try {
    const hash = copyFile({ ...copy, executable: seen.executable });
    if (seeFile(from, exact)?.version === seen.version) made = seeFile(to, null);
    return made === undefined ? null : { seen, hash, copy: made.bytes };
  } finally {
    if (made === undefined) rmSync(to, { force: true });
  }
}

function placeFile({ from, to, version }: FileMove, exact: bigint | null): Placed {
  const before = seeFile(from, exact);
  if (version === null) {
    // A second name first, which fails where something stands.
    linkSync(from, to);
    unlinkSync(from);
    return { before, after: seeFile(to, exact) };
  }
  if (seeFile(to, exact)?.version !== version) throw new Error("Another version stands there.");
  if (exchangeFiles(from, to) !== "done") throw new Error("They did not change places.");
  return { before, after: seeIfPossible(to, exact) };
}

function keepFile({ from, to, bytes, executable }: KeptFile): void {
  const seen = seeFile(from, null);
  if (seen?.bytes !== bytes || seen.executable !== executable)
    throw new Error("It is something else.");
  linkSync(from, to);
  unlinkSync(from);
}

/** What is in its place may not be told of as a failure: what came out of it would be taken for ours. */
function seeIfPossible(file: string, exact: bigint | null): Placed["after"] {
  try {
    return seeFile(file, exact);
  } catch {
    // The next look reads it.
    return undefined;
  }
}
