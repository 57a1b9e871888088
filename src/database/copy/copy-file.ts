import { closeSync, fstatSync, openSync } from "node:fs";
import path from "node:path";

import { readPieces, reflinkFile, writePiece } from "../../base/copy-bytes.ts";
import { pinFile } from "../../base/pinned.ts";
import type { Pinned } from "../../base/pinned.ts";
import { answerWith } from "../../base/thread-pool.ts";
import type { Answer } from "../../base/thread-pool.ts";
import { giveTo } from "../place/owned-files.ts";
import { createPace } from "./copy-pace.ts";
import type { Pace } from "./copy-pace.ts";
import { FileFlusher } from "./file-flusher.ts";

/** Files of one folder, to be copied into another; where it may be done by reflink, whether it is is known. */
export type CopyJob = {
  /** A pinned folder's path. */
  readonly folder: string;
  readonly names: readonly string[];
  readonly target: string;
  readonly uid: number | null;
  readonly reflinked: boolean;
};

/** `flags`: shared memory by which a copy that nobody waits for is held up. */
export type ThreadJob = CopyJob & { readonly flags: Int32Array | null };

/** What was copied of a job: those that are gone, or are no plain files, are left out. */
export type JobDone = {
  readonly files: number;
  readonly bytes: number;
  /** Of these: they are on the disk already. */
  readonly flushedBytes: number;
};

/** Of a thread for whose copies nobody waits. */
let pace: Pace | undefined;

/** Does a job in a thread of its own, for another. */
export async function answerJob({ flags, ...job }: ThreadJob): Promise<Answer<JobDone>> {
  return answerWith(async () => {
    if (flags !== null) pace ??= createPace(flags);
    return copyFiles(job);
  });
}

/** Copies one file after another, for a thread that has nothing else to do; resolves when all are there. */
async function copyFiles({ folder, names, target, uid, reflinked }: CopyJob): Promise<JobDone> {
  let [files, bytes, flushedBytes] = [0, 0, 0];
  for (const name of names) {
    const file = pinFile(path.join(folder, name));
    if (file === undefined) continue;
    try {
      const copy = path.join(target, name);
      if (!reflinked || !reflinkFile(file, copy)) flushedBytes += await copyBytes(file, copy);
      giveTo(copy, uid);
      files += 1;
      bytes += fstatSync(file.fd).size;
    } finally {
      file.close();
    }
  }
  return { files, bytes, flushedBytes };
}

/**
 * Copies the bytes that the file has now into a new one.
 * Resolves with how many of them are on the disk: a large file's, which are brought there while the next are copied.
 */
export async function copyBytes(source: Pinned, target: string): Promise<number> {
  const fd = openSync(target, "wx", 0o600);
  const flusher = new FileFlusher(fd);
  try {
    for (const piece of readPieces(source)) {
      writePiece(fd, piece);
      if (pace === undefined) await flusher.wrote(piece.bytes.length);
      else pace(fd, piece.bytes.length);
    }
    return await flusher.end();
  } finally {
    await flusher.settled();
    closeSync(fd);
  }
}
