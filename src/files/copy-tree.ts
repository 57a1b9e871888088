import { chmod, lstat, mkdir, readdir, readlink, rm, symlink, utimes } from "node:fs/promises";
import path from "node:path";

import { diskFull } from "../base/disk-full.ts";
import { forEachParallel } from "../base/for-each-parallel.ts";
import { hasErrorCode } from "../base/problem.ts";
import { isLitterIn } from "./litter.ts";
import { moveTarget } from "./move-target.ts";
import { copyFailed } from "./problems.ts";
import { runListing, runTool } from "./tools.ts";

/** Two a core of a small machine: more only queue at the disk. */
const JOBS = 4;
const NAMES_A_JOB = 40;
/** With fewer folders than these side by side, those are opened as well, so that all jobs have work. */
const ENOUGH_FOLDERS = 32;
const MAX_OPENED_DEPTH = 3;
export type CopyManner = {
  /** Given where nobody waits for the copy: it is made slowly, and this is awaited again and again meanwhile. */
  readonly pause?: () => Promise<void>;
};

/** By reflink where the disk can, else byte by byte; never a hard link, and links stay links. `target` must not exist. */
export async function copyTree(
  source: string,
  target: string,
  { pause }: CopyManner = {},
): Promise<void> {
  const stats = await lstat(source);
  const copying = { into: path.dirname(target), isBehind: pause !== undefined };
  if (!stats.isDirectory()) {
    const names = [path.basename(source)];
    return runCopy({ folder: path.dirname(source), names, target }, copying);
  }
  const plan = await planCopy({ source, target });
  for (const folder of plan.folders) await mkdir(folder.target);
  await forEachParallel(plan.jobs, pause === undefined ? JOBS : 1, async (job) => {
    await pause?.();
    await runCopy(job, copying);
  });
  for (const folder of plan.folders.toReversed()) await copyModeAndTimes(folder);
}

/**
 * Links that name the source tree by its absolute path would let the copy write into it: these are they, relative to
 * `folder`.
 */
export async function listAbsoluteLinks(
  folder: string,
  roots: readonly string[],
): Promise<readonly string[]> {
  const patterns = roots.flatMap((root) => [root, `${root}/*`].map((text) => escapeGlob(text)));
  const tests = patterns.flatMap((pattern, index) => [
    ...(index === 0 ? [] : ["-o"]),
    "-lname",
    pattern,
  ]);
  const args = [folder, "-type", "l", "(", ...tests, ")", "-print0"];
  const { entries } = await runListing("find", args, { folder: path.dirname(folder) });
  return entries.map((entry) => path.relative(folder, entry));
}

/** They get the copy's own. */
export async function relinkAbsolute(
  copy: string,
  links: readonly string[],
  { from, to }: { readonly from: readonly string[]; readonly to: string },
): Promise<void> {
  for (const link of links) await relink(path.join(copy, link), from, to);
}

type Folder = { readonly source: string; readonly target: string };
/** `target`: a folder that exists, or, for a single name, the name of the copy. */
type Job = { readonly folder: string; readonly names: readonly string[]; readonly target: string };

/** Opens folders from the top until there are enough to copy side by side. */
async function planCopy(
  root: Folder,
): Promise<{ folders: readonly Folder[]; jobs: readonly Job[] }> {
  const folders: Folder[] = [];
  const jobs: Job[] = [];
  let level = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    folders.push(...level);
    const inner: Folder[] = [];
    for (const folder of level) {
      const { others, subfolders } = await readFolder(folder);
      jobs.push(...toJobs(folder, others));
      inner.push(...subfolders);
    }
    const isEnough = inner.length >= ENOUGH_FOLDERS || depth === MAX_OPENED_DEPTH;
    if (isEnough)
      jobs.push(...[...Map.groupBy(inner, parentOf)].flatMap(([, group]) => jobsOfGroup(group)));
    level = isEnough ? [] : inner;
  }
  return { folders, jobs };
}

function parentOf({ source }: Folder): string {
  return path.dirname(source);
}

function jobsOfGroup(group: readonly Folder[]): readonly Job[] {
  const [first] = group;
  if (first === undefined) return [];
  const parent = { source: path.dirname(first.source), target: path.dirname(first.target) };
  return toJobs(
    parent,
    group.map(({ source }) => path.basename(source)),
  );
}

function toJobs(
  folder: { source: string; target: string },
  names: readonly string[],
): readonly Job[] {
  const starts = Array.from(
    { length: Math.ceil(names.length / NAMES_A_JOB) },
    (_, index) => index * NAMES_A_JOB,
  );
  return starts.map((start) => ({
    folder: folder.source,
    names: names.slice(start, start + NAMES_A_JOB),
    target: `${folder.target}/`,
  }));
}

async function readFolder({
  source,
  target,
}: Folder): Promise<{ others: string[]; subfolders: Folder[] }> {
  const entries = await readdir(source, { withFileTypes: true });
  const wanted = entries.filter(({ name }) => !isLitterIn(path.basename(source), name));
  const folders = wanted.filter((entry) => entry.isDirectory());
  return {
    others: wanted.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
    subfolders: folders.map(({ name }) => ({
      source: path.join(source, name),
      target: path.join(target, name),
    })),
  };
}

async function copyModeAndTimes({ source, target }: Folder): Promise<void> {
  const { mode, atimeMs, mtimeMs } = await lstat(source);
  await chmod(target, mode & 0o7777);
  await utimes(target, atimeMs / 1000, mtimeMs / 1000);
}

/** `into`: what a person knows of where it goes; `isBehind`: nobody waits for it. */
type Copying = { readonly into: string; readonly isBehind: boolean };

async function runCopy({ folder, names, target }: Job, { into, isBehind }: Copying): Promise<void> {
  const flags = process.platform === "darwin" ? ["-c", "-R", "-p"] : ["-a", "--reflink=auto"];
  const args = ["cp", ...flags, "--", ...names.map((name) => `./${name}`), target];
  const [program = "", ...others] = isBehind ? ["nice", "-n", "19", ...args] : args;
  const { exitCode, stderr } = await runTool(program, others, { folder });
  if (exitCode === 0) return;
  const lines = stderr.split("\n").filter((line) => line !== "" && !isVanished(line));
  if (lines.some((line) => /No space left on device|Disk quota exceeded/.test(line)))
    throw diskFull(into);
  const reason =
    lines[0] ?? (exitCode === 1 ? undefined : `cp ended with ${exitCode ?? "a signal"}`);
  if (reason !== undefined) throw copyFailed(into, reason.replace(/\.$/, ""));
}

/** A running app makes and removes files of its own; what went away as it was about to be copied is not missed. */
function isVanished(line: string): boolean {
  const gnu = /^cp: cannot (?:stat|open|access|read symbolic link) .*: No such file or directory$/;
  const bsd = /^cp: \.\/.*: No such file or directory$/;
  return gnu.test(line) || bsd.test(line);
}

/** Empty where none was copied: it was left out, or the source changed meanwhile. */
async function readIfLink(file: string): Promise<string> {
  try {
    return await readlink(file);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EINVAL")) return "";
    throw error;
  }
}

async function relink(link: string, from: readonly string[], to: string): Promise<void> {
  const moved = moveTarget(await readIfLink(link), from, to);
  if (moved === undefined) return;
  await rm(link);
  await symlink(moved, link);
}

function escapeGlob(text: string): string {
  const isPattern = text.endsWith("/*");
  const escaped = (isPattern ? text.slice(0, -2) : text).replace(/[\\*?[\]]/g, String.raw`\$&`);
  return isPattern ? `${escaped}/*` : escaped;
}
