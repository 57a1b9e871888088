/**
 * A program: `node bench/watch-loop.js FROM TO FOLDER`. What scripts around a watcher do, to be measured beside sync: each
 * file that chokidar, installed in that folder, tells of is copied.
 */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

const [from = ".", to = ".", folder = "."] = process.argv.slice(2);
const { watch } = createRequire(path.join(folder, "package.json"))("chokidar");
const LEFT_OUT = /(?:^|\/)(?:\.git|\.ramet|node_modules)(?:\/|$)/;

watch(from, { ignoreInitial: true, ignored: (name) => LEFT_OUT.test(name) }).on(
  "all",
  (event, file) => {
    if (event === "add" || event === "change") void copy(path.relative(from, file));
    if (event === "unlink") void rm(path.join(to, path.relative(from, file)), { force: true });
  },
);

async function copy(name) {
  await mkdir(path.dirname(path.join(to, name)), { recursive: true });
  await copyFile(path.join(from, name), path.join(to, name));
}
