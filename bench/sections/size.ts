import { sleep } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import type { Database } from "../../src/database/database.ts";
import { Databases, formatUrl } from "../kit/databases.ts";
import type { Forked } from "../kit/databases.ts";
import { formatFigures, median, Series } from "../kit/figures.ts";
import { Pgbench } from "../kit/pgbench.ts";
import { openPlaces } from "../kit/places.ts";
import type { Place } from "../kit/places.ts";
import type { Goal, Report } from "../kit/report.ts";
import type { Bench, Size } from "../kit/scene.ts";
import { withUndo } from "../kit/with-undo.ts";
import { Writer } from "../kit/writer.ts";

const SIZES: readonly Size[] = [
  { label: "50 MB", bytes: 50_000_000 },
  { label: "1 GB", bytes: 1_000_000_000 },
  { label: "5 GB", bytes: 5_000_000_000 },
];
const HEADER = ["source", "database", "fork", "of it checkpoint", "the rest", "own disk, MB"];
const CHECKPOINT = "checkpoint of the source";
/** What a fork and its removal take at most beside pgbench, and a pause. */
const SECONDS_A_FORK = 3;
const PAUSE_MS = 500;
const MOST_MS = 250;
const MOST_MEGABYTES = 60;
const MOST_RATIO = 1.2;

type Source = {
  readonly label: string;
  readonly database: Database;
  readonly light: Series;
  readonly busy: Series;
};

/** Forks of small and large databases, on the file system with reflinks: what the size costs. */
export async function measureSize(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const { places, remarks } = await openPlaces(undo, bench.signal);
    const place = places.find(({ label }) => label.startsWith("XFS"));
    if (place === undefined) return { rows: [], goals: [], remarks };
    return measureOn(place, bench, undo);
  });
}

async function measureOn(place: Place, bench: Bench, undo: UndoStack): Promise<Report> {
  const databases = await Databases.open(place, undo, bench.signal);
  const sources: Source[] = [];
  for (const size of SIZES.slice(0, bench.isQuick ? 2 : 3))
    sources.push(await openSource(databases, size, undo));
  // The first of each is not counted: it wakes threads, and fills caches.
  for (const { database } of sources) await measureFork(databases, database, new Series());
  for (let round = 0; round < bench.rounds; round += 1)
    for (const { database, light } of sources) await measureFork(databases, database, light);
  const isBusy = await measureBusy(databases, sources, bench);
  return {
    rows: [HEADER, ...sources.map(toLightRow), ...(isBusy ? sources.map(toBusyRow) : [])],
    goals: listGoals(sources),
    remarks: [...sources.map(formatSteps), ...(isBusy ? [] : ["Left out: pgbench is missing."])],
  };
}

/** With one that writes ten rows a second, as in the other sections. */
async function openSource(databases: Databases, size: Size, undo: UndoStack): Promise<Source> {
  const database = await databases.create(size);
  const writer = await Writer.open(formatUrl(database));
  undo.push(() => writer.close());
  return { label: size.label, database, light: new Series(), busy: new Series() };
}

async function measureFork(databases: Databases, source: Database, series: Series): Promise<void> {
  const forked = await databases.fork(source);
  await databases.remove(forked.database);
  addTo(series, forked);
}

/** While four clients of pgbench write at full speed to each of them in its turn. False where it is not installed. */
async function measureBusy(
  databases: Databases,
  sources: readonly Source[],
  { rounds, signal }: Bench,
): Promise<boolean> {
  const loaded: { readonly source: Source; readonly pgbench: Pgbench }[] = [];
  for (const source of sources) {
    const pgbench = await Pgbench.open(source.database, signal);
    if (pgbench === undefined) return false;
    loaded.push({ source, pgbench });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { source, pgbench } of loaded) {
      const burden = pgbench.measure(SECONDS_A_FORK);
      await sleep(PAUSE_MS, signal);
      await measureFork(databases, source.database, source.busy);
      const { failed } = await burden;
      if (failed > 0) throw new Error(`${failed} clients of pgbench failed.`);
    }
  }
  return true;
}

function addTo(series: Series, { ms, steps, ownBytes }: Forked): void {
  const checkpoint = steps.find(({ name }) => name === CHECKPOINT)?.ms ?? 0;
  series.add("fork", ms);
  series.add("checkpoint", checkpoint);
  series.add("rest", ms - checkpoint);
  series.add("disk", ownBytes / 1e6);
  for (const step of steps) series.add(`step ${step.name}`, step.ms);
}

function toLightRow({ label, light }: Source): readonly string[] {
  return ["ten rows a second", label, ...toCells(light)];
}

function toBusyRow({ label, busy }: Source): readonly string[] {
  return ["pgbench -c 4", label, ...toCells(busy)];
}

function toCells(series: Series): readonly string[] {
  const times = ["fork", "checkpoint", "rest"].map((name) => formatFigures(series.of(name)));
  return [...times, formatFigures(series.of("disk"), 1)];
}

function formatSteps({ label, light, busy }: Source): string {
  const names = light.names().filter((name) => name.startsWith("step "));
  const list = (series: Series): string =>
    names.map((name) => `${name.slice(5)} ${Math.round(median(series.of(name)))}`).join("; ");
  return `Steps of ${label}, ms: ${list(light)}. Beside pgbench: ${list(busy)}.`;
}

function listGoals(sources: readonly Source[]): readonly Goal[] {
  const sense = "at most";
  const each = sources.flatMap(({ label, light, busy }): readonly Goal[] => [
    {
      what: `fork of ${label}`,
      measured: median(light.of("fork")),
      limit: MOST_MS,
      unit: "ms",
      sense,
    },
    {
      what: `fork of ${label} beside pgbench, without the checkpoint`,
      measured: median(busy.of("rest")),
      limit: MOST_MS,
      unit: "ms",
      sense,
    },
    {
      what: `own disk of a fork of ${label}`,
      measured: Math.max(...light.of("disk")),
      limit: MOST_MEGABYTES,
      unit: "MB",
      sense,
    },
  ]);
  const medians = sources.map(({ light }) => median(light.of("fork")));
  const measured = Math.max(...medians) / Math.min(...medians);
  const what = "slowest size beside the fastest";
  return [...each, { what, measured, limit: MOST_RATIO, unit: "×", sense }];
}
