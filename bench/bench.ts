/**
 * `npm run bench [-- SECTION …] [--quick] [--rounds N] [--only WORDS] [--write]`: the numbers that are promised, each
 * beside its floor in the same run. `--quick`: fewer rounds and small databases; `--only 'xfs shop 1 gb'`: those scenes
 * alone; `--write`: into docs/benchmarks.md too.
 */
import { parseArgs } from "node:util";

import { writeSection } from "./kit/document.ts";
import { installPackage } from "./kit/installed.ts";
import { openPlaces } from "./kit/places.ts";
import type { Place } from "./kit/places.ts";
import { formatReport, joinReports } from "./kit/report.ts";
import type { Report } from "./kit/report.ts";
import { openScene, SIZES } from "./kit/scene.ts";
import type { Bench, Cast, Scene } from "./kit/scene.ts";
import { withUndo } from "./kit/with-undo.ts";
import { measureCli } from "./sections/cli.ts";
import { measureCreate } from "./sections/create.ts";
import { measureDelete } from "./sections/delete.ts";
import { measureDependencies } from "./sections/dependencies.ts";
import { measureDev } from "./sections/dev.ts";
import { measureFragmentation } from "./sections/fragmentation.ts";
import { measureGateway } from "./sections/gateway.ts";
import { measureBurden } from "./sections/load.ts";
import { measureMemory } from "./sections/memory.ts";
import { measureRest } from "./sections/rest.ts";
import { measureScale } from "./sections/scale.ts";
import { measureSize } from "./sections/size.ts";
import { measureSockets } from "./sections/sockets.ts";
import { measureSource } from "./sections/source.ts";
import { measureStandby } from "./sections/standby.ts";
import { measureSync } from "./sections/sync.ts";
import { measureTogether } from "./sections/together.ts";
import { measureWake } from "./sections/wake.ts";

/** Of one section on one scene, or of one that needs none. */
const SECTION_LIMIT_MS = 20 * 60_000;

/** These share scenes, which take long to make. */
const SCENE_SECTIONS: Readonly<Record<string, (scene: Scene) => Promise<Report>>> = {
  create: measureCreate,
  together: measureTogether,
  delete: measureDelete,
  wake: measureWake,
  source: measureSource,
};
const OTHER_SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<Report>>> = {
  dependencies: measureDependencies,
  cli: measureCli,
  gateway: measureGateway,
  sockets: measureSockets,
  dev: measureDev,
  memory: measureMemory,
  rest: measureRest,
  fragmentation: measureFragmentation,
  scale: measureScale,
  size: measureSize,
  load: measureBurden,
  standby: measureStandby,
  sync: measureSync,
};
const NAMES = [...Object.keys(SCENE_SECTIONS), ...Object.keys(OTHER_SECTIONS)];

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => interruption.abort(new Error("Interrupted: all is cleared away.")));

await main();

async function main(): Promise<void> {
  try {
    const { names, only, isQuick, isWriting, rounds = isQuick ? 3 : 7 } = readArguments();
    await withUndo(async (undo) => {
      const { signal } = interruption;
      const launcher = await installPackage(undo, signal);
      const bench = { signal, isQuick, rounds, launcher };
      await measureAll(names, { bench, isWriting, only });
    });
  } catch (error) {
    say(describe(error));
    process.exitCode = 1;
  }
}

async function measureAll(names: readonly string[], options: Options): Promise<void> {
  const { bench } = options;
  await measureScenes(names, options);
  for (const [name, measure] of Object.entries(OTHER_SECTIONS)) {
    if (!names.includes(name)) continue;
    const report = await orFailure(() => measure(within(bench)), name);
    await publish(name, report, options);
  }
}

type Options = {
  readonly bench: Bench;
  readonly isWriting: boolean;
  readonly only: readonly string[];
};

type Chosen = {
  readonly names: readonly string[];
  readonly isQuick: boolean;
  readonly isWriting: boolean;
  readonly rounds?: number;
  /** Words of a scene's label, all of which it must have. */
  readonly only: readonly string[];
};

function readArguments(): Chosen {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean" },
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      write: { type: "boolean" },
    },
  });
  const unknown = positionals.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0)
    throw new Error(`No section ${unknown[0]}: there are ${NAMES.join(", ")}.`);
  if (values.only !== "" && values.write === true)
    throw new Error("--only leaves out rows that --write would lose.");
  return {
    names: positionals.length === 0 ? NAMES : positionals,
    isQuick: values.quick ?? false,
    isWriting: values.write ?? false,
    only: values.only.toLowerCase().split(" "),
    ...(values.rounds === undefined ? {} : { rounds: Math.max(1, Number(values.rounds)) }),
  };
}

/** Each scene is opened once, and closed before the next. */
async function measureScenes(names: readonly string[], options: Options): Promise<void> {
  const chosen = Object.entries(SCENE_SECTIONS).filter(([name]) => names.includes(name));
  if (chosen.length === 0) return;
  const { bench } = options;
  await withUndo(async (undo) => {
    const { places, remarks } = await openPlaces(undo, bench.signal);
    const scenes: ReadonlyMap<string, Report>[] = [];
    for (const cast of listCasts(places, bench).filter((one) => isAsked(one, options.only)))
      scenes.push(await measureScene(cast, chosen, bench));
    for (const [name] of chosen) {
      const report = joinReports(scenes.flatMap((scene) => scene.get(name) ?? []));
      await publish(name, { ...report, remarks: [...report.remarks, ...remarks] }, options);
    }
  });
}

function isAsked({ place, app, size }: Cast, only: readonly string[]): boolean {
  const label = `${place.label} ${app} ${size.label}`.toLowerCase();
  return only.every((word) => label.includes(word));
}

function listCasts(places: readonly Place[], { isQuick }: Bench): readonly Cast[] {
  const sizes = isQuick ? [SIZES.small] : [SIZES.small, SIZES.large];
  return places.flatMap((place) =>
    (["shop", "notes"] as const).flatMap((app) => sizes.map((size) => ({ place, app, size }))),
  );
}

async function measureScene(
  cast: Cast,
  sections: readonly (readonly [string, (scene: Scene) => Promise<Report>])[],
  bench: Bench,
): Promise<ReadonlyMap<string, Report>> {
  return withUndo(async (undo) => {
    const { place, app, size } = cast;
    say(`${app}, ${size.label}, ${place.label} …`);
    const scene = await openScene(cast, bench, undo);
    const reports = new Map<string, Report>();
    for (const [name, measure] of sections) {
      const limited = { ...scene, bench: within(bench) };
      reports.set(name, await orFailure(() => measure(limited), `${name} of ${app}`));
      say(`  ${name}`);
    }
    return reports;
  });
}

/** What fails costs its own figures, and no other's. */
async function orFailure(measure: () => Promise<Report>, what: string): Promise<Report> {
  try {
    return await measure();
  } catch (error) {
    interruption.signal.throwIfAborted();
    process.exitCode = 1;
    say(describe(error));
    return { rows: [], goals: [], remarks: [`**Failed**: ${what}.`] };
  }
}

/** The same with a limit. */
function within(bench: Bench): Bench {
  return {
    ...bench,
    signal: AbortSignal.any([bench.signal, AbortSignal.timeout(SECTION_LIMIT_MS)]),
  };
}

async function publish(name: string, report: Report, { bench, isWriting }: Options): Promise<void> {
  const markdown = await formatReport(report, bench.isQuick ? ["quick"] : []);
  process.stdout.write(`\n## ${name}\n\n${markdown}\n`);
  if (isWriting) await writeSection(name, markdown);
}

/** Beside the figures, which may be piped into a file. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const causes = error instanceof AggregateError ? error.errors.map(String) : [];
  return [error.stack ?? error.message, ...causes].join("\n");
}
