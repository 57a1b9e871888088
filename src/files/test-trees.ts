/** For tests: an app's tree that git keeps, with all kinds of files in it, and the place where it is to go. */
import { mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { git } from "../../test/git.ts";
import { removeInside } from "../base/remove-inside.ts";
import { writeAtomically } from "../base/write-atomically.ts";

export type Trees = {
  readonly root: string;
  readonly source: string;
  /** Nothing is there yet. */
  readonly target: string;
  close(): Promise<void>;
};

export async function openTrees(): Promise<Trees> {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-files-")));
  const source = path.join(root, "source");
  await mkdir(source);
  const target = path.join(root, "target");
  return { root, source, target, close: async () => removeInside(path.dirname(root), root) };
}

export async function put(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeAtomically(path.join(folder, name), text, { mode: 0o644 });
  }
}

/** Every file and link below a folder, without `.git`. */
export async function listAll(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.split("/").includes(".git"))
    .toSorted();
}

/** Tracked, removed, untracked and ignored files, in the tree itself and in a package inside it. */
export async function commitApp({ source }: Trees): Promise<void> {
  await git(source, "init", "-q");
  await put(source, {
    ".gitignore": "node_modules\ndist\n.env*\n*.log\n",
    "src/app.js": "1",
    "gone.js": "1",
    "-x y.txt": "1",
    "packages/ui/index.js": "1",
  });
  await git(source, "add", "-A");
  await git(source, "commit", "-qm", "app");
  await rm(path.join(source, "gone.js"));
  await put(source, {
    "untracked é.txt": "1",
    "dist/out.js": "1",
    ".env.local": "KEY=1",
    "node_modules/a/index.js": "1",
    "node_modules/.vite/deps.js": "1",
    "packages/ui/node_modules/b/index.js": "1",
    ".ramet/environment.json": "{}",
  });
}
