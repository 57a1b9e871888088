/**
 * A program: `node bench/bare-loop.ts FROM TO`. The least that must happen until an edit stands elsewhere whole, to be measured beside
 * sync: the event, the pause after the last of them, the file read, written aside and renamed. It keeps nothing and proves nothing.
 */
import { readFileSync, renameSync, watch, writeFileSync } from "node:fs";
import path from "node:path";

/** As sync waits: a file is written in steps. */
const SETTLE_MS = 3;

const [from = ".", to = "."] = process.argv.slice(2);
const waiting = new Map<string, NodeJS.Timeout>();
watch(from, (_event, name) => {
  if (name === null) return;
  clearTimeout(waiting.get(name));
  waiting.set(
    name,
    setTimeout(() => take(name), SETTLE_MS),
  );
});

function take(name: string): void {
  waiting.delete(name);
  const aside = path.join(to, `${name}.new`);
  writeFileSync(aside, readFileSync(path.join(from, name)));
  renameSync(aside, path.join(to, name));
}
