import { formatFigures, median, Series, time } from "../kit/figures.ts";
import { measureFloor, untilConnected } from "../kit/floor.ts";
import { addressOf, untilOk } from "../kit/http.ts";
import type { Goal, Report } from "../kit/report.ts";
import { requireDatabase } from "../kit/scene.ts";
import type { Scene } from "../kit/scene.ts";

const HEADER = [
  "file system",
  "app",
  "database",
  "a connection wakes it",
  "PostgreSQL's own start",
  "a request wakes it",
  "PostgreSQL's and the app's own start",
];

/** What sleeps until its first connection and until its first 200, in turn with the bare starts of the same. */
export async function measureWake(scene: Scene): Promise<Report> {
  const { stage, bench } = scene;
  const series = new Series();
  const fork = await stage.create("sleeper");
  const [address, database] = [addressOf(fork.url), requireDatabase(fork)];
  for (let round = 0; round < bench.rounds; round += 1) {
    await stage.ramet("env", "stop", fork.name);
    series.add("connection", (await time(() => untilConnected(database, bench.signal))).ms);
    await stage.ramet("env", "stop", fork.name);
    series.add("request", (await time(() => untilOk(address, bench.signal))).ms);
    const floor = await measureFloor(scene);
    series.add("PostgreSQL", floor.databaseMs);
    series.add("both", floor.ms - floor.copyMs);
  }
  await stage.delete(fork.name);
  const names = ["connection", "PostgreSQL", "request", "both"];
  const figures = names.map((name) => formatFigures(series.of(name)));
  return {
    rows: [HEADER, [...scene.label, ...figures]],
    goals: [
      toGoal(scene, series, { what: "a connection", over: "PostgreSQL", limit: 50 }),
      toGoal(scene, series, { what: "a request", over: "both", limit: 100 }),
    ],
    remarks: [],
  };
}

/** How much longer a wake takes than what it starts. */
function toGoal(
  { label }: Scene,
  series: Series,
  { what, over, limit }: { readonly what: string; readonly over: string; readonly limit: number },
): Goal {
  const wake = median(series.of(what.split(" ")[1] ?? ""));
  const where = label.join(", ");
  const measured = wake - median(series.of(over));
  return {
    what: `${what} beyond the bare start (${where})`,
    measured,
    limit,
    unit: "ms",
    sense: "at most",
  };
}
