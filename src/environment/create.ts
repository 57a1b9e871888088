import { UndoStack } from "../base/undo-stack.ts";
import type { EnvironmentRecord, PreparationStep, Progress } from "./environment.ts";
import type { BuildOptions, Built, Draft, Parts, ProvidedDatabase } from "./parts.ts";

/**
 * Builds an environment up to its commit: files, database and processes side by side, then the record.
 * Whatever fails before the record is there is taken back whole; the caller's leaving counts as a failure.
 * It is left in the state `preparing`: what remains to be run comes after, and may leave it broken but there.
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
    const { files, database, remaining } = await provideParts(draft, parts, options);
    options.signal.throwIfAborted();
    const record: EnvironmentRecord = {
      ...draft,
      remaining,
      missingMigrations: [],
      generation: 1,
      replaced: null,
      database: database.outcome.record,
      state: { kind: "preparing" },
    };
    await parts.writeRecord(record);
    undo.keep();
    const { fork } = database.outcome;
    return { record, fork, timings: { files: files.ms, database: database.ms } };
  } catch (error) {
    await undo.undo();
    throw error;
  }
}

type Provided = {
  readonly files: Timed<object>;
  readonly database: Timed<ProvidedDatabase>;
  readonly remaining: readonly PreparationStep[];
};

/** Waits for all, also when one fails: nothing may still be writing when the undoing begins. */
async function provideParts(draft: Draft, parts: Parts, options: BuildOptions): Promise<Provided> {
  const database = timed("database", options, async () => parts.provideDatabase(draft));
  const steps = parts.listSteps(draft);
  // What is to be run shows in a workspace's files as they are before anything is brought to them.
  const looked = draft.files.kind === "linked" ? steps : Promise.resolve();
  const files = looked.then(async () =>
    timed("files", options, async () => ({ detail: await parts.provideFiles(draft) })),
  );
  const processes = startAhead(draft, parts, { files, steps });
  await Promise.allSettled([files, database, steps, processes]);
  return { files: await files, database: await database, remaining: await steps };
}

/** Where nothing is to be run before them. */
async function startAhead(
  draft: Draft,
  parts: Parts,
  made: { readonly files: Promise<unknown>; readonly steps: Promise<readonly PreparationStep[]> },
): Promise<void> {
  await made.files;
  if ((await made.steps).length === 0) await parts.startProcesses(draft);
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
