import { chmod, mkdir, mkdtemp, realpath, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { waitFor } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import { run } from "./program.ts";

/** A folder on a file system that is measured. */
export type Place = { readonly label: string; readonly folder: string };

const IMAGE_BYTES = 40 * 2 ** 30;
const UNMOUNT_LIMIT_MS = 20_000;

/** A folder on the temporary folder's own file system; `undo` removes it. */
export async function openHere(undo: UndoStack): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-bench-")));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  // As root, what runs below it runs as users of its own, who must be able to walk through here.
  await chmod(folder, 0o711);
  return folder;
}

/** The temporary folder's file system, and an XFS with reflinks in an image, where that can be made. */
export async function openPlaces(
  undo: UndoStack,
  signal: AbortSignal,
): Promise<{ places: readonly Place[]; remarks: readonly string[] }> {
  const folder = await openHere(undo);
  const type = await tool(["df", "--output=fstype", folder], signal);
  const plain = { label: type.trim().split("\n").at(-1) ?? "?", folder };
  if (process.getuid?.() !== 0) return withoutReflinks(plain, "only root can mount an image");
  try {
    await tool(["mkfs.xfs", "-V"], signal);
  } catch (error) {
    signal.throwIfAborted();
    return withoutReflinks(plain, `mkfs.xfs is missing (${describe(error)})`);
  }
  return { places: [plain, await openImage(folder, undo, signal)], remarks: [] };
}

function withoutReflinks(
  plain: Place,
  reason: string,
): { places: readonly Place[]; remarks: readonly string[] } {
  return { places: [plain], remarks: [`Left out: XFS with reflinks, because ${reason}.`] };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function openImage(folder: string, undo: UndoStack, signal: AbortSignal): Promise<Place> {
  const [image, mounted] = [path.join(folder, "xfs.image"), path.join(folder, "xfs")];
  await writeFile(image, "");
  await truncate(image, IMAGE_BYTES);
  await tool(["mkfs.xfs", "-q", "-m", "reflink=1", image], signal);
  await mkdir(mounted);
  await tool(["mount", "-o", "loop", image, mounted], signal);
  undo.push(() => unmount(mounted));
  await chmod(mounted, 0o711);
  return { label: "XFS (image)", folder: mounted };
}

/** What has only just ended may hold it a moment longer. */
async function unmount(folder: string): Promise<void> {
  const signal = AbortSignal.timeout(UNMOUNT_LIMIT_MS);
  let failure: unknown;
  const attempt = async (): Promise<true | undefined> => {
    try {
      await tool(["umount", folder], signal);
      return true;
    } catch (error) {
      failure = error;
      return undefined;
    }
  };
  const done = await waitFor(attempt, { timeoutMs: UNMOUNT_LIMIT_MS, everyMs: 200 });
  if (done === undefined) throw failure;
}

async function tool(command: readonly string[], signal: AbortSignal): Promise<string> {
  const [file = "", ...args] = command;
  return run({ file, args, folder: "/", environment: process.env, signal });
}
