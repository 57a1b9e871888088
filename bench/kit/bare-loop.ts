import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import type { UndoStack } from "../../src/base/undo-stack.ts";
import { serve } from "./program.ts";
import { NotAcross, type Pairing, untilSame } from "./transfers.ts";

const TRY_MS = 200;
const MOST_TRIES = 100;

/** Two folders between which edits are taken over by hand, until `undo`; resolves once one has come across. */
export async function startBareLoop(pairing: Pairing, undo: UndoStack): Promise<Pairing> {
  const { stage } = pairing;
  const [from, to] = [path.join(stage.folder, "bare-from"), path.join(stage.folder, "bare-to")];
  await Promise.all([mkdir(from), mkdir(to)]);
  const program = path.join(import.meta.dirname, "../bare-loop.ts");
  const loop = await serve(
    {
      file: process.execPath,
      args: [program, from, to],
      folder: stage.folder,
      environment: stage.environment,
    },
    "SIGTERM",
  );
  undo.push(() => loop.stop());
  const bare = { ...pairing, clone: from, kept: to };
  await untilWatched(bare);
  return bare;
}

/** Until then nobody hears of a file. */
async function untilWatched(bare: Pairing): Promise<void> {
  for (let count = 0; ; count += 1) {
    await writeFile(path.join(bare.clone, "first.ts"), String(count));
    try {
      return await untilSame(bare, ["first.ts"], TRY_MS);
    } catch (error) {
      if (!(error instanceof NotAcross) || count > MOST_TRIES) throw error;
    }
  }
}
