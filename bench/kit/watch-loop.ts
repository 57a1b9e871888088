import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { sleep } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import { run, serve } from "./program.ts";
import { type Pairing, readIfThere } from "./transfers.ts";

const CHOKIDAR = "chokidar@5.0.0";
const LIMIT_MS = 30_000;
const TRY_EVERY_MS = 200;

/**
 * A loop around chokidar that copies what it tells of, until `undo`; resolves with where to, once an edit has come across.
 * undefined: it cannot be installed here. It is installed for the occasion, as nothing of ours needs it.
 */
export async function startWatchLoop(
  { bench, stage, clone }: Pairing,
  undo: UndoStack,
): Promise<string | undefined> {
  const folder = path.join(stage.folder, "chokidar");
  const to = path.join(stage.folder, "watched");
  await Promise.all([mkdir(folder), mkdir(to)]);
  const where = { folder, environment: stage.environment };
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", CHOKIDAR];
  try {
    await run({ file: "npm", args, ...where, signal: bench.signal });
  } catch {
    // No registry is reached from here.
    return undefined;
  }
  const program = path.join(import.meta.dirname, "../watch-loop.ts");
  const loop = await serve(
    { file: process.execPath, args: [program, clone, to, folder], ...where },
    "SIGTERM",
  );
  undo.push(() => loop.stop());
  const first = path.join(clone, "watched.txt");
  for (let waited = 0; waited < LIMIT_MS; waited += TRY_EVERY_MS) {
    await writeFile(first, String(waited));
    await sleep(TRY_EVERY_MS, bench.signal);
    if (readIfThere(path.join(to, "watched.txt")) !== undefined) return to;
  }
  throw new Error("The loop around chokidar copies nothing.");
}
