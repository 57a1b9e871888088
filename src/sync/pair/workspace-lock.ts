import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";

import { waitFor } from "../../base/clock.ts";
import { explainClosed } from "../../base/closed-folder.ts";
import { explainDiskFull } from "../../base/disk-full.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { findAddon } from "../disk/addon.ts";
import { PinnedFolders } from "../disk/pinned-folders.ts";
import { devRunning, workspaceBusy } from "../disk/problems.ts";
import { reachingFolder, realFolder } from "../disk/real-folder.ts";

const STORE = ".ramet";
const OPEN = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** A first push of everything may take minutes; whoever asks for a status meanwhile is told. */
const WAIT_MS = 60_000;
const TRY_EVERY_MS = 20;
const MARK_BYTES = 16;

/**
 * Of all programs that bring a workspace's files elsewhere one at a time does: what they keep in it, such as what is
 * staged, is none of the others' business. The lock is the system's, so that no crash leaves it behind.
 */
export class WorkspaceLock {
  readonly #workspace: string;
  readonly #mark = randomBytes(MARK_BYTES / 2).toString("hex");

  constructor(workspace: string) {
    this.#workspace = workspace;
  }

  /** @param work is told whether nobody else has held it since this one did last @throws `workspace_busy`, `sync_gone`, `folder_closed` */
  async run<T>(work: (isUntouched: boolean) => Promise<T>): Promise<T> {
    const file = openLockFile(this.#workspace, "transfers.lock");
    try {
      const take = (): true | undefined => (isTaken(file) ? true : undefined);
      const taken = await waitFor(take, { timeoutMs: WAIT_MS, everyMs: TRY_EVERY_MS });
      if (taken === undefined) throw workspaceBusy(this.#workspace);
      const isUntouched = readMark(file) === this.#mark;
      if (!isUntouched) writeMark(file, this.#mark);
      return await work(isUntouched);
    } finally {
      closeSync(file);
    }
  }
}

/** Until it is released: this program alone keeps the workspace's files the same as others. @throws `dev_running`, `folder_closed` */
export function claimKeeping(workspace: string): { release(): void } {
  const file = openLockFile(realFolder(workspace), "dev.lock");
  if (isTaken(file)) return { release: () => closeSync(file) };
  closeSync(file);
  throw devRunning(workspace);
}

/** Nothing on the way may be a link: whoever writes to the workspace would lead us elsewhere. */
function openLockFile(workspace: string, name: string): number {
  const owner = reachingFolder(workspace, () => ownerOf(workspace));
  const folders = new PinnedFolders(workspace, { owner, mode: 0o700 });
  try {
    const descriptor = openSync(path.join(folders.make(STORE), name), OPEN, 0o600);
    fchmodSync(descriptor, 0o600);
    folders.giveOpen(descriptor);
    return descriptor;
  } catch (error) {
    throw explainDiskFull(explainClosed(error, workspace), workspace);
  } finally {
    folders.close();
  }
}

function ownerOf(workspace: string): { readonly uid: number; readonly gid: number } | null {
  const stats = statSync(`${workspace}/`);
  return process.getuid?.() === 0 ? stats : null;
}

/** True as well where this machine, or the disk, knows no locks. */
function isTaken(descriptor: number): boolean {
  try {
    return findAddon()?.tryLock(descriptor) ?? true;
  } catch (error) {
    if (hasErrorCode(error, "ENOLCK", "ENOSYS", "EINVAL", "ENOTSUP", "EOPNOTSUPP")) return true;
    throw error;
  }
}

function readMark(descriptor: number): string {
  const mark = Buffer.alloc(MARK_BYTES);
  return mark.toString("latin1", 0, readSync(descriptor, mark, 0, MARK_BYTES, 0));
}

function writeMark(descriptor: number, mark: string): void {
  ftruncateSync(descriptor);
  writeSync(descriptor, mark, 0);
}
