import { monotonicMs } from "../../base/clock.ts";
import { provideExtensions } from "../../database/database.ts";
import { timed } from "../../environment/create.ts";
import type { EnvironmentRecord, PreparationStep, Report } from "../../environment/environment.ts";
import { LOCK_FILES } from "../../environment/lock-files.ts";
import type { Manifest } from "../../environment/manifest.ts";
import { preparationInterrupted, stepFailed } from "../../environment/problems.ts";
import { hashFiles, isSameTree } from "../../files/files.ts";
import { asProblem } from "../home/problems.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import type { EngineContext } from "../machine/context.ts";
import { findDueSetup } from "./installed.ts";
import { runSetup } from "./setup.ts";

/** Long enough for an install over a slow line. */
const STEP_LIMIT_MS = 30 * 60_000;

/** What a new app's first environment needs before its processes: all that its manifest names and is not done. */
export async function listFirstSteps(
  folder: string,
  manifest: Manifest,
): Promise<readonly PreparationStep[]> {
  const setup = await findDueSetup(folder, manifest.setup);
  return listNamed({ ...manifest, setup });
}

/**
 * What a fork needs: setup when the lock files differ from those its source was set up with, migrations when its files
 * may differ from its source's. Where the rows came along it needs no seed; where they did not, migrations are run as
 * well: some tools keep rows of their own up to date with them.
 */
export async function listForkSteps(
  source: EnvironmentRecord,
  { files, data }: Pick<EnvironmentRecord, "files" | "data">,
  manifest: Manifest,
): Promise<readonly PreparationStep[]> {
  const tree = files.kind === "kept" ? source.files.path : files.path;
  const hasSetup = source.setupStamp === (await stampSetup(tree, manifest));
  const isSame = async (): Promise<boolean> =>
    files.kind === "kept" || isSameTree(source.files.path, files.path);
  const isDone = {
    setup: hasSetup,
    migrate: data === "all" && (await isSame()),
    seed: data === "all",
  };
  return listNamed(manifest).filter((step) => !isDone[step]);
}

/** What files that were replaced need: setup when the lock files differ, and the migrations. */
export async function listChangeSteps(
  record: EnvironmentRecord,
  manifest: Manifest,
): Promise<readonly PreparationStep[]> {
  const isSetUp = record.setupStamp === (await stampSetup(record.files.path, manifest));
  return listNamed(manifest).filter((step) => step !== "seed" && !(step === "setup" && isSetUp));
}

/** What an environment needs whose database was replaced by its source's present one. */
export async function listResetSteps(
  record: EnvironmentRecord,
  manifest: Manifest,
): Promise<readonly PreparationStep[]> {
  const steps = await listChangeSteps(record, manifest);
  const isSeeded = record.data === "all" || findCommand(manifest, "seed") === null;
  return isSeeded ? steps : [...steps, "seed"];
}

/** Changes when what `setup` would install changes. */
async function stampSetup(folder: string, manifest: Manifest): Promise<string> {
  return `${manifest.setup ?? ""}|${await hashFiles(folder, LOCK_FILES)}`;
}

/**
 * Runs what remains, one after another, each noted as soon as it is done. A step that fails leaves the environment
 * `broken`, and there to be looked into.
 */
export async function prepareEnvironment(
  context: EngineContext,
  live: LiveEnvironment,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const manifest = await live.manifest();
    await extend(live, manifest);
    for (const step of live.record.remaining) {
      await context.checkpoint(`before ${step}`);
      await timed(step, { report, clock: monotonicMs }, async () =>
        runNamed(context, live, { step, manifest, signal }),
      );
      await live.save({ remaining: live.record.remaining.filter((other) => other !== step) });
    }
    await live.save({
      setupStamp: await stampSetup(live.record.files.path, manifest),
      state: live.restState(),
    });
  } catch (error) {
    const problem = signal.aborted
      ? preparationInterrupted(live.record.name)
      : asProblem("preparation", error);
    await live.save({ state: { kind: "broken", problem: problem.toFields() } });
    throw problem;
  }
}

/** Runs what its present files ask for; processes whose plan changed are started again. */
export async function prepareAgain(
  context: EngineContext,
  live: LiveEnvironment,
  options: Parameters<typeof prepareEnvironment>[2],
): Promise<void> {
  await live.save({ remaining: await listChangeSteps(live.record, await live.manifest()) });
  await prepareEnvironment(context, live, options);
  await live.refresh();
}

/** Processes that do not reload by themselves what their files have become. */
export async function restartStale(live: LiveEnvironment): Promise<void> {
  if (!live.isUp()) return;
  const { processes } = await live.manifest();
  const stale = Object.keys(processes).filter((name) => processes[name]?.reloads === false);
  await Promise.all(stale.map(async (name) => live.restartProcess(name)));
}

/** Processes that ended and would wait for their next try: somebody asks for them now. */
export async function startFallen(live: LiveEnvironment): Promise<void> {
  const fallen = live.processes().filter(({ state, pid }) => {
    return state === "restarting" || (state === "failed" && pid === null);
  });
  await Promise.all(fallen.map(async ({ name }) => live.restartProcess(name)));
}

/** Migrations need what they cannot create themselves. */
async function extend(live: LiveEnvironment, { grants }: Manifest): Promise<void> {
  if (grants.extensions.length === 0) return;
  await live.withDatabase(async (database) => {
    if (database !== null) await provideExtensions(database, grants.extensions);
  });
}

function listNamed(manifest: Manifest): readonly PreparationStep[] {
  const all = ["setup", "migrate", "seed"] as const;
  return all.filter((step) => findCommand(manifest, step) !== null);
}

function findCommand(manifest: Manifest, step: PreparationStep): string | null {
  return step === "setup" ? manifest.setup : (manifest.database?.[step] ?? null);
}

type Command = {
  readonly step: PreparationStep;
  readonly manifest: Manifest;
  readonly signal: AbortSignal;
};

async function runNamed(
  context: EngineContext,
  live: LiveEnvironment,
  { step, manifest, signal }: Command,
): Promise<{ detail: string }> {
  const named = findCommand(manifest, step);
  const run = async (command: string): Promise<void> => runCommand(live, { step, command, signal });
  const command = step === "setup" ? await findDueSetup(live.record.files.path, named) : named;
  if (command === null) return { detail: "" };
  if (step === "setup") return runSetup(context, live.record, { command, run, signal });
  await run(command);
  return { detail: "" };
}

/** @throws `step_failed` */
async function runCommand(
  live: LiveEnvironment,
  {
    step,
    command,
    signal: stop,
  }: { readonly step: PreparationStep; readonly command: string; readonly signal: AbortSignal },
): Promise<void> {
  const plan = { name: step, command, timeoutMs: STEP_LIMIT_MS };
  const { exitCode, signal, lastLines } = await live.runStep(plan, stop);
  if (exitCode === 0) return;
  const how =
    exitCode === null
      ? `was ended by ${signal ?? "a signal"}`
      : `failed with exit code ${exitCode}`;
  throw stepFailed({ name: step, command, how, lines: lastLines });
}
