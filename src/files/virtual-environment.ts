import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import path from "node:path";

import { hasErrorCode } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";

/** Scripts are small; what is larger is a program. */
const MAX_BYTES = 256 * 1024;
/** Beside its packages: where those lie that are installed as they are being edited. */
const NAMES_FOLDERS = /^__editable__|\.(?:pth|egg-link)$/;

/**
 * A virtual environment of Python's names its own folder in its programs' first lines: run in a copy, they would install
 * into the source. In a copy of one they name the copy; anything else stays as it is.
 */
export async function moveVirtualEnvironment(
  copy: string,
  { from, to }: { readonly from: readonly string[]; readonly to: string },
): Promise<void> {
  if (!(await exists(path.join(copy, "pyvenv.cfg")))) return;
  const pattern = new RegExp(`(?:${from.map(escape).join("|")})(?![\\w.-])`, "g");
  for (const file of await listNaming(copy)) {
    await rewrite(path.join(copy, file), (text) => text.replaceAll(pattern, () => to));
  }
}

/** The files that may name it, relative to the copy. */
async function listNaming(copy: string): Promise<readonly string[]> {
  const programs = await listFiles(copy, "bin");
  const versions = await list(path.join(copy, "lib"));
  const packages = await Promise.all(
    versions.map(async ({ name }) => listFiles(copy, path.join("lib", name, "site-packages"))),
  );
  const naming = packages.flat().filter((file) => NAMES_FOLDERS.test(path.basename(file)));
  return ["pyvenv.cfg", ...programs, ...naming];
}

async function listFiles(copy: string, folder: string): Promise<readonly string[]> {
  const entries = await list(path.join(copy, folder));
  return entries.filter((entry) => entry.isFile()).map(({ name }) => path.join(folder, name));
}

async function list(folder: string): Promise<Awaited<ReturnType<typeof readEntries>>> {
  try {
    return await readEntries(folder);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

function readEntries(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

/** In its place, so that its owner and mode stay. */
async function rewrite(file: string, change: (text: string) => string): Promise<void> {
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const { size } = await handle.stat();
    if (size > MAX_BYTES) return;
    const before = await handle.readFile();
    if (before.includes(0)) return;
    const text = before.toString("utf8");
    const changed = change(text);
    if (changed === text) return;
    await handle.truncate(0);
    await handle.write(changed, 0);
  } finally {
    await handle.close();
  }
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
