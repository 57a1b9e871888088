import { UndoStack } from "../base/undo-stack.ts";
import type { EnvironmentRecord, Progress } from "./environment.ts";
import type { BuildOptions, Built, Draft, Parts } from "./parts.ts";

/**
 * Builds an environment up to its commit: files and database side by side, then the record.
 * Whatever fails before the record is there is taken back whole; the caller's leaving counts as a failure.
 * It is left in the state `preparing`: setup, migrations and processes come after, and may leave it broken but there.
 */
export async function buildEnvironment(
  draft: Draft,
  parts: Parts,
  options: BuildOptions,
): Promise<Built> {
  const undo = new UndoStack();
  undo.push(async () => parts.clear(draft.id));
  try {
    await parts.prepare(draft);
    const [files, database] = await settleBoth(
      timed("files", options, async () => ({ detail: await parts.provideFiles(draft) })),
      timed("database", options, async () => parts.provideDatabase(draft)),
    );
    options.signal.throwIfAborted();
    const record: EnvironmentRecord = {
      ...draft,
      database: database.outcome.record,
      state: { kind: "preparing" },
    };
    await parts.writeRecord(record);
    undo.keep();
    return { record, timings: { files: files.ms, database: database.ms } };
  } catch (error) {
    await undo.undo();
    throw error;
  }
}

type Timed<T> = { readonly outcome: T; readonly ms: number };

/** Runs a step and reports its beginning and its end. */
export async function timed<T extends { readonly detail: string }>(
  part: Progress["part"],
  { report, clock }: Pick<BuildOptions, "report" | "clock">,
  work: () => Promise<T>,
): Promise<Timed<T>> {
  const began = clock();
  report({ part, state: "started", ms: 0, detail: null });
  try {
    const outcome = await work();
    const ms = Math.round(clock() - began);
    report({ part, state: "done", ms, detail: outcome.detail === "" ? null : outcome.detail });
    return { outcome, ms };
  } catch (error) {
    report({ part, state: "failed", ms: Math.round(clock() - began), detail: null });
    throw error;
  }
}

/** Waits for both, also when one fails: nothing may still be writing when the undoing begins. */
async function settleBoth<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}
