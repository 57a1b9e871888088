import { statfs } from "node:fs/promises";

import { formatBytes } from "../../base/bytes.ts";
import { canReflink } from "../../base/can-reflink.ts";
import { runProgram } from "../../process/process.ts";
import { describeIsolation, detectIsolation } from "../../runtime/runtime.ts";
import { findStorage, formatCommand } from "../../storage/storage.ts";

type Capabilities = Record<string, boolean | string | number>;

/** The home, and where environments lie. */
type Where = { readonly home: { readonly folder: string }; readonly data: string };
type Costs = {
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly walBytes: number;
};

type Spare = { readonly name: string; readonly entries: number; readonly bytes: number };

/** What this machine can give, and in what way. */
export async function examineMachine(
  { home: { folder: home }, data }: Where,
  { standbys, spares }: { readonly standbys: readonly Costs[]; readonly spares: readonly Spare[] },
): Promise<Capabilities> {
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
    standbys: describeStandbys(standbys),
    spares: describeSpares(spares),
    git,
    psql,
    bubblewrap,
    ...(await findProtection()),
    freeGigabytes: Math.round((space.bavail * space.bsize) / 1e9),
  };
}

/** With what a faster way takes. */
function describeCopying(home: string): string {
  const way =
    "standby: the same time for any size while one is ready (`database.warm` in ramet.json), else a copy";
  if (process.platform !== "linux") return way;
  return `${way}; \`${formatCommand(home, "create")}\` makes every fork so`;
}

function describeStandbys(standbys: readonly Costs[]): string {
  if (standbys.length === 0) return "none";
  const sum = (each: (costs: Costs) => number): string =>
    formatBytes(standbys.reduce((all, one) => all + each(one), 0));
  const [disk, memory] = [sum((one) => one.diskBytes), sum((one) => one.memoryBytes)];
  const wal = sum((one) => one.walBytes);
  return `${standbys.length}: ${disk} of disk, ${memory} of memory, ${wal} of WAL kept`;
}

/** `1: node_modules, 26240 files and folders, 340 MB of disk` */
function describeSpares(spares: readonly Spare[]): string {
  if (spares.length === 0) return "none";
  const names = [...new Set(spares.map(({ name }) => name))].join(", ");
  const entries = spares.reduce((sum, one) => sum + one.entries, 0);
  const disk = formatBytes(spares.reduce((sum, one) => sum + one.bytes, 0));
  return `${spares.length}: ${names}, ${entries} files and folders, ${disk} of disk`;
}

/** For processes that run as the server does. */
async function findProtection(): Promise<Capabilities> {
  const isolation = await detectIsolation(null);
  const described = describeIsolation(isolation);
  if (isolation.kind === "isolated") return { isolation: described };
  const { remedy, profile } = isolation;
  return {
    isolation: `${described}. ${remedy}`,
    ...(profile === undefined ? {} : { profile }),
  };
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
