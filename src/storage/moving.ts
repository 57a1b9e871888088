import { chmod, chown, readdir, statfs, stat } from "node:fs/promises";
import path from "node:path";

import { formatBytes } from "../base/bytes.ts";
import { sleep } from "../base/clock.ts";
import { diskFull } from "../base/disk-full.ts";
import { MARKER } from "./mounting.ts";
import { storageFailed } from "./problems.ts";
import { runStorageTool, tryTool } from "./tools.ts";

export type MoveOptions = {
  readonly signal: AbortSignal;
  /** How far it is, for people. */
  readonly tell: (text: string) => void;
};

const TELL_EVERY_MS = 1_000;
/** What `diff` says of two pipes or sockets, which have no bytes to compare. */
const SPECIAL = /^File .* is an? (fifo|socket|character special file|block special file) while/;

/** Bytes that the folder's files need where none shares a block. */
export async function measureContents(folder: string): Promise<number> {
  const printed = await runStorageTool("be measured", ["du", "-skx", folder]);
  return Number(/^\d+/.exec(printed)?.[0] ?? 0) * 1024;
}

/** Copies everything in a folder that nobody writes to, with owners and times. @throws `disk_full`, `storage_failed` */
export async function copyContents(from: string, to: string, options: MoveOptions): Promise<void> {
  const total = await measureContents(from);
  const done = new AbortController();
  const telling = tellUsed(to, total, { ...options, signal: done.signal });
  try {
    await copyMode(from, to);
    for (const name of await listContents(from)) await copyOne(path.join(from, name), to, options);
    await flush(to, options);
  } finally {
    done.abort();
    await telling;
  }
}

/** Names, kinds, modes, owners, times, and every byte. @throws `storage_failed` at the first difference */
export async function assertSame(one: string, other: string, options: MoveOptions): Promise<void> {
  const names = await listContents(one);
  for (const [at, name] of names.entries()) {
    options.tell(`comparing ${at + 1} of ${names.length}`);
    const pair = [path.join(one, name), path.join(other, name)] as const;
    const [listing, copied] = await Promise.all(pair.map(async (tree) => list(tree, options)));
    if (listing !== copied) throw storageFailed("be filled", `${name} was not copied as it is`);
    await compareBytes(pair, options);
  }
}

/** All but what marks an image as one. */
async function listContents(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name !== MARKER);
}

async function copyOne(source: string, to: string, { signal }: MoveOptions): Promise<void> {
  const args = ["-a", "--reflink=auto", "--", source, to];
  const { exitCode, stderr } = await tryTool("cp", args, { signal });
  if (/No space left on device|Disk quota exceeded/.test(stderr)) throw diskFull(to);
  if (exitCode !== 0) throw storageFailed("be filled", stderr);
}

async function copyMode(from: string, to: string): Promise<void> {
  const { mode, uid, gid } = await stat(from);
  await chown(to, uid, gid);
  await chmod(to, mode & 0o7777);
}

/** From here on a power cut loses nothing of it; a write that failed behind our back is told now. */
async function flush(folder: string, { signal }: MoveOptions): Promise<void> {
  await runStorageTool("be written", ["sync", "-f", folder], { signal });
}

async function list(tree: string, { signal }: MoveOptions): Promise<string> {
  const what = [String.raw`d %m %U %G %P\0`, String.raw`%y %m %U %G %s %T@ %l %P\0`];
  const [folders = "", others = ""] = what;
  const args = [tree, "(", "-type", "d", "-printf", folders, "-o", "-printf", others, ")"] as const;
  const listed = await runStorageTool("be compared", ["find", ...args], { signal });
  return listed.split("\0").toSorted().join("\0");
}

async function compareBytes(
  pair: readonly [one: string, other: string],
  { signal }: MoveOptions,
): Promise<void> {
  const args = ["-rq", "--no-dereference", ...pair];
  const { exitCode, stdout, stderr } = await tryTool("diff", args, { signal });
  const lines = `${stderr}${stdout}`.split("\n").filter((line) => line !== "");
  const [difference] = lines.filter((line) => !SPECIAL.test(line));
  if (difference !== undefined) throw storageFailed("be filled", difference);
  if (exitCode === null) throw storageFailed("be filled", "diff was ended");
}

async function tellUsed(
  folder: string,
  total: number,
  { signal, tell }: MoveOptions,
): Promise<void> {
  const before = await readFree(folder);
  try {
    for (;;) {
      const copied = Math.min(total, Math.max(0, before - (await readFree(folder))));
      tell(`copied ${formatBytes(copied)} of ${formatBytes(total)}`);
      await sleep(TELL_EVERY_MS, signal);
    }
  } catch (error) {
    // All is copied: nothing more is to be told.
    if (!signal.aborted) throw error;
  }
}

async function readFree(folder: string): Promise<number> {
  const { bfree, bsize } = await statfs(folder);
  return bfree * bsize;
}
