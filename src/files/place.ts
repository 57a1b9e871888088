import type { Stats } from "node:fs";
import { lchown, lstat, mkdir, realpath } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import type { ProcessUser } from "../process/process.ts";
import { pathOutside } from "./problems.ts";

/** A relative path in its shortest form. @throws `path_outside` */
export function parseInnerPath(text: string): string {
  const name = path.posix.normalize(text).replace(/\/$/, "");
  const isOutside =
    text === "" ||
    text.includes("\0") ||
    path.isAbsolute(text) ||
    name === "." ||
    name.split("/").includes("..");
  if (isOutside) throw pathOutside(text);
  return name;
}

/** What stands at a path without a link on the way to it; undefined when there is nothing, or a link is on the way. */
export async function findPlain(root: string, name: string): Promise<Stats | undefined> {
  const parts = name.split("/");
  for (let depth = 1; depth < parts.length; depth += 1) {
    const parent = await findStats(path.join(root, ...parts.slice(0, depth)));
    if (parent?.isDirectory() !== true) return undefined;
  }
  return findStats(path.join(root, name));
}

/** Whether a folder that the name goes through is a link. */
export async function hasLinkOnWay(root: string, name: string): Promise<boolean> {
  const parts = name.split("/");
  for (let depth = 1; depth < parts.length; depth += 1) {
    const parent = await findStats(path.join(root, ...parts.slice(0, depth)));
    if (parent === undefined) return false;
    if (parent.isSymbolicLink()) return true;
  }
  return false;
}

/** The folder that holds the name, made where it is missing; undefined when a link or a file is on the way. */
export async function makeParent(
  root: string,
  name: string,
  user: ProcessUser | null,
): Promise<string | undefined> {
  let folder = root;
  for (const part of name.split("/").slice(0, -1)) {
    folder = path.join(folder, part);
    const isNew = await mkdirUnlessThere(folder);
    if (isNew && user !== null && process.getuid?.() === 0)
      await lchown(folder, user.uid, user.gid);
    if ((await findStats(folder))?.isDirectory() !== true) return undefined;
  }
  return folder;
}

/** False as well when the link leads nowhere. */
export async function leadsInside(root: string, link: string): Promise<boolean> {
  try {
    const fromRoot = path.relative(await realpath(root), await realpath(link));
    return fromRoot !== ".." && !fromRoot.startsWith("../") && !path.isAbsolute(fromRoot);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return false;
    throw error;
  }
}

async function mkdirUnlessThere(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "EEXIST")) return false;
    throw error;
  }
}

async function findStats(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
