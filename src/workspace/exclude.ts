import { mkdir, open, readFile } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";

const LINE = ".ramet/";
const SAME = new Set([".ramet", ".ramet/", "/.ramet", "/.ramet/"]);

/** Makes git ignore the binding in every worktree of a repository; what else the file says stays as it is. */
export async function excludeBinding(common: string): Promise<void> {
  const file = path.join(common, "info", "exclude");
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await appendOnce(file);
  } catch (error) {
    // A repository that we may not write to only means that git will list the folder as untracked.
    if (!hasErrorCode(error, "EACCES", "EPERM", "EROFS")) throw error;
  }
}

/** Appends in one write: two worktrees that are bound at once at worst leave the line twice. */
async function appendOnce(file: string): Promise<void> {
  const text = await readText(file);
  if (text.split("\n").some((line) => SAME.has(line.trim()))) return;
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  const handle = await open(file, "a");
  try {
    await handle.appendFile(`${separator}${LINE}\n`);
  } finally {
    await handle.close();
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return "";
    throw error;
  }
}
