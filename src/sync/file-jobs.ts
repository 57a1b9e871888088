import { createHash } from "node:crypto";
import { closeSync } from "node:fs";

import { answerWith } from "../base/thread-pool.ts";
import type { Answer } from "../base/thread-pool.ts";
import { createPlain, type Owner, PART_BYTES, readPlain, writeWhole } from "./plain-file.ts";

export type FileCopy = {
  readonly from: string;
  readonly to: string;
  readonly executable: boolean;
  readonly owner: Owner | null;
};

export type FileJob =
  | { readonly kind: "hash"; readonly files: readonly string[] }
  | { readonly kind: "copy"; readonly copies: readonly FileCopy[] };

/** The hash of a file's bytes, or of those that were copied. */
export type FileDone = Answer<string>;

const buffer = Buffer.allocUnsafeSlow(PART_BYTES);

/** Does a job in a thread of its own, for another: what fails with one file says nothing about the others. */
export function answerFileJob(job: FileJob): Promise<Answer<readonly FileDone[]>> {
  return answerWith(async () => {
    const works =
      job.kind === "hash"
        ? job.files.map((file) => () => hashFile(file))
        : job.copies.map((copy) => () => copyFile(copy));
    return Promise.all(works.map(async (work) => answerWith(work)));
  });
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
