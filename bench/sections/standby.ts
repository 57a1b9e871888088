import { waitFor } from "../../src/base/clock.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment, EnvironmentView } from "../../src/protocol/schemas.ts";
import { formatFigures, formatRatio, median, ratioOf, Series } from "../kit/figures.ts";
import { measureDatabaseFloor } from "../kit/floor.ts";
import { openHere } from "../kit/places.ts";
import type { Goal, Report } from "../kit/report.ts";
import { openScene, SIZES } from "../kit/scene.ts";
import type { Bench, Scene } from "../kit/scene.ts";
import { Steps } from "../kit/steps.ts";
import { withUndo } from "../kit/with-undo.ts";

type Standby = EnvironmentView["standbys"][number];

const HEADER = [
  "database",
  "promoted",
  "of it promotion",
  "copied",
  "parallel cp + start",
  "copied / that",
  "parallel cp + sync -f + start",
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
    const figures = { series: new Series(), promotion: new Steps(), copy: new Steps() };
    for (let round = 0; round < bench.rounds; round += 1) await measureRound(scene, figures);
    return toReport(scene, figures, await untilFollowed(scene));
  });
}

type Figures = { readonly series: Series; readonly promotion: Steps; readonly copy: Steps };

async function measureRound(scene: Scene, { series, promotion, copy }: Figures): Promise<void> {
  const { stage } = scene;
  await untilFollowed(scene);
  await stage.run("sync");
  const promoted = await stage.create("promoted");
  await stage.run("sync");
  // Nobody had the time to make the next one.
  const copied = await stage.create("copied");
  promotion.add(promoted);
  copy.add(copied);
  series.add("promoted", promoted.timings.database);
  series.add("promotion", stepOf(promoted, "promotion"));
  series.add("copied", copied.timings.database);
  stepOf(copied, "copy of the database");
  for (const { name } of [promoted, copied]) await stage.delete(name);
  for (const reached of ["memory", "disk"] as const) {
    await stage.run("sync");
    series.add(reached, await measureDatabaseFloor(scene, reached));
  }
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

function toReport(
  { label }: Scene,
  { series, promotion, copy }: Figures,
  standby: Standby,
): Report {
  const copied = series.of("copied");
  const beside = (["memory", "disk"] as const).flatMap((reached) => [
    formatFigures(series.of(reached)),
    formatRatio(ratioOf(copied, series.of(reached))),
  ]);
  const ways = ["promoted", "promotion", "copied"].map((name) => formatFigures(series.of(name)));
  const costs = [standby.diskBytes, standby.memoryBytes, standby.walBytes];
  return {
    rows: [HEADER, [label[2], ...ways, ...beside, ...costs.map(formatMegabytes)]],
    goals: listGoals(series),
    remarks: [
      promotion.format("a fork by promotion"),
      copy.format("a fork by copy, right after it"),
    ],
  };
}

function listGoals(series: Series): readonly Goal[] {
  const sense = "at most";
  const copied = series.of("copied");
  return [
    {
      what: "database of a fork by promotion",
      measured: median(series.of("promoted")),
      limit: 150,
      unit: "ms",
      sense,
    },
    {
      what: "by copy, beside a parallel cp + start",
      measured: ratioOf(copied, series.of("memory")),
      limit: 1.3,
      unit: "×",
      sense,
    },
    {
      what: "by copy, beside a parallel cp + sync -f + start",
      measured: ratioOf(copied, series.of("disk")),
      limit: 1.3,
      unit: "×",
      sense,
    },
  ];
}

function formatMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
