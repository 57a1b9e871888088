import { open, rename, rm } from "node:fs/promises";
import path from "node:path";

/** What a file is to be: on the disk already, beside it. */
export type Staged = {
  /** Puts it in its place; a crash before `settle` may still find the old bytes. */
  place(): Promise<void>;
  /** From here on a power cut finds the new ones. */
  settle(): Promise<void>;
};

/**
 * Replaces a file so that a reader, or a crash at any instant, sees the old bytes or the new ones.
 * Temporary file, fsync, rename, fsync of the folder.
 */
export async function writeAtomically(
  file: string,
  bytes: string | Uint8Array,
  options: { readonly mode?: number } = {},
): Promise<void> {
  const staged = await stageFile(file, bytes, options);
  await staged.place();
  await staged.settle();
}

/** The part of it that takes long, for a file that is to be replaced at some later moment. */
export async function stageFile(
  file: string,
  bytes: string | Uint8Array,
  options: { readonly mode?: number } = {},
): Promise<Staged> {
  // As an import it would take some 7 ms of every command, and most write nothing.
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const orNothing = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  };
  await orNothing(async () => writeDurably(temporary, bytes, options.mode ?? 0o600));
  return {
    place: async () => orNothing(async () => rename(temporary, file)),
    settle: async () => syncFolder(path.dirname(file)),
  };
}

/** Makes the names in a folder durable: a rename or removal survives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeDurably(file: string, bytes: string | Uint8Array, mode: number): Promise<void> {
  const handle = await open(file, "wx", mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
