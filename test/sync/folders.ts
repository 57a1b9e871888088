/** Two real trees for tests: put together from words, and read back as words. */
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { systemClock } from "../../src/base/clock.ts";
import { writeAtomically } from "../../src/base/write-atomically.ts";
import { openDisk } from "../../src/sync/disk/real-disk.ts";
import { TreeSide } from "../../src/sync/side/tree-side.ts";
import type { Sides } from "../../src/sync/sync.ts";

/** A text makes a file; one that begins with `->` makes a link; `+x` before it makes it executable; a name with a slash at its end a folder. */
export type Words = Readonly<Record<string, string>>;

export type Folders = { readonly root: string; readonly sides: Sides; close(): Promise<void> };

export async function openFolders(): Promise<Folders> {
  const root = await mkdtemp(path.join(tmpdir(), "ramet-sync-"));
  const [local, remote] = [path.join(root, "local"), path.join(root, "remote")];
  await Promise.all([mkdir(local), mkdir(remote)]);
  return {
    root,
    sides: { local, remote, home: path.join(root, "home") },
    close: async () => rm(root, { recursive: true, force: true }),
  };
}

/** A side on real folders, without anything that watches it. */
export function openSide(tree: string, home: string): TreeSide {
  return new TreeSide({
    disk: openDisk({ tree, store: { base: path.dirname(home), path: path.basename(home) } }),
    clock: systemClock,
    hints: { take: () => null, follow: () => false, leave: () => undefined },
    pair: "test",
    store: home,
  });
}

/** What this program holds open there, or held when it was removed. */
export async function listOpenIn(folder: string): Promise<readonly string[]> {
  const descriptors = await readdir("/proc/self/fd");
  const targets = await Promise.all(
    // One that was closed meanwhile is none.
    descriptors.map(async (name) => readlink(`/proc/self/fd/${name}`).catch(() => "")),
  );
  return targets.filter((target) => target === folder || target.startsWith(`${folder}/`));
}

/** What a store has not finished: what lies aside, and plans that are not done with. */
export async function listAside(store: string): Promise<readonly string[]> {
  const folders = ["staged", "intents"].map(async (name) => {
    const folder = path.join(store, name);
    const names = await readdir(folder).catch(() => []); // Nothing was ever put there.
    const texts = names.map(async (one) => [one, await readFile(path.join(folder, one))] as const);
    // A plan that is done with begins with a blank line, and stays for the next.
    return (await Promise.all(texts)).filter(([, text]) => name === "staged" || text[0] !== 10);
  });
  return (await Promise.all(folders)).flat().map(([name]) => name);
}

export async function put(folder: string, words: Words): Promise<void> {
  for (const [name, text] of Object.entries(words)) {
    const file = path.join(folder, name);
    await mkdir(name.endsWith("/") ? file : path.dirname(file), { recursive: true });
    if (name.endsWith("/")) continue;
    if (text.startsWith("->")) await symlink(text.slice(2), file);
    else await writeAtomically(file, text.replace(/^\+x/, ""), { mode: 0o644 });
    if (text.startsWith("+x")) await chmod(file, 0o755);
  }
}

export async function read(folder: string): Promise<Words> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const pairs = entries
    .filter(
      ({ parentPath, name }) =>
        !/^\.(ramet|git)(\/|$)/.test(path.relative(folder, path.join(parentPath, name))),
    )
    .map(async (entry): Promise<readonly [string, string][]> => {
      const file = path.join(entry.parentPath, entry.name);
      const name = path.relative(folder, file);
      if (entry.isDirectory()) return (await readdir(file)).length === 0 ? [[`${name}/`, ""]] : [];
      if (entry.isSymbolicLink()) return [[name, `->${await readlink(file)}`]];
      if (!entry.isFile()) return [[name, "(something else)"]];
      const isExecutable = ((await stat(file)).mode & 0o100) !== 0;
      return [[name, `${isExecutable ? "+x" : ""}${await readFile(file, "utf8")}`]];
    });
  const sorted = (await Promise.all(pairs)).flat().toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted);
}
