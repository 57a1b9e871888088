import { fsyncSync, renameSync, statSync } from "node:fs";
import { mkdir, statfs } from "node:fs/promises";
import path from "node:path";

import { canReflink } from "../../base/can-reflink.ts";
import { pinFolder } from "../../base/pinned.ts";
import { Problem } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { runProgram } from "../../process/process.ts";
import { copyInThread } from "../copy/copy-threads.ts";
import { flush } from "../copy/flush.ts";
import { readSmallFile } from "../place/owned-files.ts";
import { changing } from "../place/place-use.ts";
import { findPostmaster } from "./postmaster.ts";

/** A reflink takes about 20 µs an extent: below so many it takes no longer than a thousand small files do. */
const MANY_EXTENTS = 4_000;
/** A smaller file cannot have so many that it matters. */
const LEAST_MEGABYTES = 8;
/** Left out of every copy by its ending. */
const WORKSHOP = "tidy.tmp";
const LIST_LIMIT_MS = 60_000;
/** Of the disk's free room, what a file may take: its old blocks may be shared, and then stay. */
const MOST_OF_FREE = 0.25;
const CONTROL = path.join("global", "pg_control");
/** Where the state stands in it, and which one is a clean shutdown. */
const STATE_OFFSET = 16;
const SHUT_DOWN = 1;

export type Scattered = { readonly file: string; readonly extents: number };

/** Of what `filefrag` prints, the files that a reflink would take long for. */
export function parseScattered(printed: string, most = MANY_EXTENTS): readonly Scattered[] {
  return [...printed.matchAll(/^\.\/(.+): (\d+) extents? found$/gm)].flatMap(
    ([, file = "", extents]) =>
      Number(extents) > most ? [{ file, extents: Number(extents) }] : [],
  );
}

/**
 * Writes anew, each in one piece, the files of a database at rest that forks and random writes have scattered over the disk.
 * Each is replaced by the same bytes, in one rename, and only if no server ran since it was read; a crash leaves either, and a
 * server that starts meanwhile is not waited for. Resolves with how many were mended.
 */
export async function tidyFiles(
  place: DatabasePlace,
  { signal, most = MANY_EXTENTS }: { readonly signal: AbortSignal; readonly most?: number },
): Promise<number> {
  const workshop = path.join(place.folder, WORKSHOP);
  try {
    const seen = await readRest(place);
    // Where no block is shared nothing is scattered by it, and a copy does not ask how many pieces there are.
    if (seen === undefined || !(await canReflink(place.folder))) return 0;
    const files = await listScattered(place.folder, most);
    if (files.length === 0) return 0;
    await removeInside(place.folder, workshop);
    await mkdir(workshop, { mode: 0o700 });
    let mended = 0;
    for (const { file } of files) {
      signal.throwIfAborted();
      if (await mend(place, file, seen)) mended += 1;
    }
    return mended;
  } finally {
    await removeInside(place.folder, workshop);
  }
}

/** What its server wrote down as its last word; undefined unless it was shut down cleanly, and none runs. */
async function readRest(place: DatabasePlace): Promise<Buffer | undefined> {
  if ((await findPostmaster(place)) !== undefined) return undefined;
  const control = readSmallFile(path.join(place.folder, CONTROL));
  const isClean = control !== undefined && control.readInt32LE(STATE_OFFSET) === SHUT_DOWN;
  return isClean ? control : undefined;
}

/** Empty as well where nothing here can tell. */
async function listScattered(folder: string, most: number): Promise<readonly Scattered[]> {
  const size = `+${LEAST_MEGABYTES}M`;
  const launch = {
    file: "find",
    args: [
      "-P",
      ".",
      "-path",
      "./base/*",
      "-type",
      "f",
      "-size",
      size,
      "-exec",
      "filefrag",
      "{}",
      "+",
    ],
    folder,
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    user: null,
  };
  try {
    const { stdout } = await runProgram(launch, { timeoutMs: LIST_LIMIT_MS });
    return parseScattered(stdout, most);
  } catch (error) {
    if (error instanceof Problem && error.code === "program_missing") return [];
    throw error;
  }
}

async function mend(place: DatabasePlace, file: string, seen: Buffer): Promise<boolean> {
  const folder = pinFolder(path.join(place.folder, path.dirname(file)));
  if (folder === undefined) return false;
  try {
    const name = path.basename(file);
    const target = path.join(place.folder, WORKSHOP);
    if (!(await hasRoom(folder.path, name))) return false;
    const job = { folder: folder.path, names: [name], target, uid: place.uid, reflinked: false };
    if ((await copyInThread(job)).files === 0) return false;
    await flush(target);
    return await changing(place, async () => {
      const now = await readRest(place);
      if (now?.equals(seen) !== true) return false;
      renameSync(path.join(target, name), path.join(folder.path, name));
      fsyncSync(folder.fd);
      return true;
    });
  } finally {
    folder.close();
  }
}

async function hasRoom(folder: string, name: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return statSync(path.join(folder, name)).size < bavail * bsize * MOST_OF_FREE;
}
