import { waitFor } from "../../src/base/clock.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment, EnvironmentView } from "../../src/protocol/schemas.ts";
import { formatFigures, formatRatio, median, ratioOf, Series } from "../kit/figures.ts";
import { measureDatabaseFloor } from "../kit/floor.ts";
import { openHere } from "../kit/places.ts";
import type { Report } from "../kit/report.ts";
import { openScene, SIZES } from "../kit/scene.ts";
import type { Bench, Scene } from "../kit/scene.ts";
import { withUndo } from "../kit/with-undo.ts";

type Standby = EnvironmentView["standbys"][number];

const HEADER = [
  "database",
  "promoted",
  "of it promotion",
  "copied",
  "parallel cp + start",
  "copied / that",
  "standby's disk",
  "its memory",
  "WAL kept",
];
const BUILD_LIMIT_MS = 120_000;

/** The database's part of a fork: by promotion, by the copy that comes right after it, and that copy by hand. */
export async function measureStandby(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const place = { label: "here", folder: await openHere(undo) };
    const size = bench.isQuick ? SIZES.small : SIZES.large;
    const scene = await openScene({ place, app: "notes", size }, bench, undo);
    const series = new Series();
    for (let round = 0; round < bench.rounds; round += 1) await measureRound(scene, series);
    return toReport(scene, series, await untilFollowed(scene));
  });
}

async function measureRound(scene: Scene, series: Series): Promise<void> {
  await untilFollowed(scene);
  await scene.stage.run("sync");
  const promoted = await scene.stage.create("promoted");
  // Nobody had the time to make the next one.
  const copied = await scene.stage.create("copied");
  series.add("promoted", promoted.timings.database);
  series.add("promotion", stepOf(promoted, "promotion"));
  series.add("copied", copied.timings.database);
  stepOf(copied, "copy of the database");
  for (const { name } of [promoted, copied]) await scene.stage.delete(name);
  await scene.stage.run("sync");
  series.add("floor", await measureDatabaseFloor(scene));
}

/** @throws Error where the fork was not made in this way */
function stepOf({ timings }: CreatedEnvironment, name: string): number {
  const step = timings.steps.find((one) => one.name === name);
  if (step === undefined) throw new Error(`The fork had no step "${name}".`);
  return step.ms;
}

async function untilFollowed({ stage, source, bench }: Scene): Promise<Standby> {
  const find = async (): Promise<Standby | undefined> => {
    const { standbys } = environmentSchema.parse(await stage.ramet("env", "show", source.name));
    return standbys.find(({ state }) => state === "following");
  };
  const limits = { timeoutMs: BUILD_LIMIT_MS, everyMs: 500, signal: bench.signal };
  const found = await waitFor(find, limits);
  if (found === undefined) throw new Error("No standby was made: can copies share blocks here?");
  return found;
}

function toReport({ label }: Scene, series: Series, standby: Standby): Report {
  const ms = (name: string): string => formatFigures(series.of(name));
  const [promoted, copied, floor] = ["promoted", "copied", "floor"].map((name) => series.of(name));
  const ratio = ratioOf(copied ?? [], floor ?? []);
  const costs = [standby.diskBytes, standby.memoryBytes, standby.walBytes];
  const times = ["promoted", "promotion", "copied", "floor"].map(ms);
  const row = [label[2], ...times, formatRatio(ratio), ...costs.map(formatMegabytes)];
  const sense = "at most";
  return {
    rows: [HEADER, row],
    goals: [
      {
        what: "database of a fork by promotion",
        measured: median(promoted ?? []),
        limit: 150,
        unit: "ms",
        sense,
      },
      {
        what: "by copy, beside a parallel cp + start",
        measured: ratio,
        limit: 1.3,
        unit: "×",
        sense,
      },
    ],
    remarks: [],
  };
}

function formatMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
