import { statfs } from "node:fs/promises";

import { formatBytes } from "../base/bytes.ts";
import { canReflink } from "../base/can-reflink.ts";
import { runProgram } from "../process/process.ts";
import { findStorage, formatCommand } from "../storage/storage.ts";

type Capabilities = Record<string, boolean | string | number>;

/** What this machine can give, and in what way. `data`: where environments lie. */
export async function examineMachine(home: string, data: string): Promise<Capabilities> {
  const [reflink, storage, git, psql, bubblewrap, space] = await Promise.all([
    canReflink(data),
    findStorage(home),
    findVersion("git", "--version"),
    findVersion("psql", "--version"),
    findVersion("bwrap", "--version"),
    statfs(data),
  ]);
  return {
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    root: process.getuid?.() === 0,
    reflink,
    forks: reflink ? "reflink: the same time for any size" : describeCopying(home),
    storage: storage !== null && `an image of ${formatBytes(storage.bytes)}`,
    git,
    psql,
    bubblewrap,
    isolation: "ports: processes are separated by ports and variables, not sealed off",
    freeGigabytes: Math.round((space.bavail * space.bsize) / 1e9),
  };
}

/** With what a faster way takes. */
function describeCopying(home: string): string {
  const slow = "copy: time grows with the database's size";
  if (process.platform !== "linux") return slow;
  return `${slow}; \`${formatCommand(home, "create")}\` makes it constant`;
}

async function findVersion(file: string, ...args: readonly string[]): Promise<string | false> {
  const launch = {
    file,
    args,
    folder: "/",
    environment: { PATH: SEARCH_PATH, LC_ALL: "C" },
    user: null,
  };
  try {
    const { exitCode, stdout } = await runProgram(launch, { timeoutMs: 5_000 });
    return exitCode === 0 ? (stdout.split("\n")[0] ?? "").trim() : false;
  } catch {
    // A program that is missing or cannot run is a capability that is not there.
    return false;
  }
}

const SEARCH_PATH =
  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";
