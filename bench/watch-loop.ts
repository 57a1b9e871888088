/**
 * A program: `node bench/watch-loop.ts FROM TO FOLDER`. What scripts around a watcher do, to be measured beside sync: each
 * file that chokidar, installed in that folder, tells of is copied.
 */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

type OnEvent = (event: string, file: string) => void;
type Chokidar = {
  watch(
    folder: string,
    options: { readonly ignoreInitial: boolean; readonly ignored: (name: string) => boolean },
  ): { on(name: "all", onEvent: OnEvent): void };
};

const LEFT_OUT = /(?:^|\/)(?:\.git|\.ramet|node_modules)(?:\/|$)/;

const [from = ".", to = ".", folder = "."] = process.argv.slice(2);
const chokidar: unknown = createRequire(path.join(folder, "package.json"))("chokidar");
if (!isChokidar(chokidar)) throw new Error(`There is no chokidar in ${folder}.`);
const ignored = (name: string): boolean => LEFT_OUT.test(name);
chokidar.watch(from, { ignoreInitial: true, ignored }).on("all", (event, file) => {
  const name = path.relative(from, file);
  if (event === "add" || event === "change") void copy(name);
  if (event === "unlink") void rm(path.join(to, name), { force: true });
});

function isChokidar(loaded: unknown): loaded is Chokidar {
  return typeof loaded === "object" && loaded !== null && "watch" in loaded;
}

async function copy(name: string): Promise<void> {
  await mkdir(path.dirname(path.join(to, name)), { recursive: true });
  await copyFile(path.join(from, name), path.join(to, name));
}
