import { formatFigures, formatRatio, median, ratioOf, Series, time } from "../kit/figures.ts";
import { measureFloor } from "../kit/floor.ts";
import { addressOf, untilOk } from "../kit/http.ts";
import { openPeers } from "../kit/peers.ts";
import type { Peers } from "../kit/peers.ts";
import type { Goal, Report } from "../kit/report.ts";
import type { Scene } from "../kit/scene.ts";
import { Steps } from "../kit/steps.ts";
import { withUndo } from "../kit/with-undo.ts";

const HEADER = [
  "file system",
  "app",
  "database",
  "create",
  "of it files",
  "of it database",
  "of it processes",
  "outside the server",
  "floor",
  "of it copy",
  "of it PostgreSQL",
  "create / floor",
  "pg_dump \\| psql",
  "database / that",
  "TEMPLATE",
  "database / that",
];
/** `env create` as a whole process until the first 200 from its URL, in turn with its floor and with its peers. */
export async function measureCreate(scene: Scene): Promise<Report> {
  const series = new Series();
  const steps = new Steps();
  const remark = await withUndo(async (undo) => {
    const peers = await openPeers(scene.cast, scene.bench, undo);
    for (let round = 0; round < scene.bench.rounds; round += 1) {
      await scene.stage.run("sync");
      await measureFork(scene, `fork-${round}`, { series, steps });
      await measureBeside(scene, peers, series);
    }
    return describePeers(peers);
  });
  const remarks = [steps.format(scene.label.join(", ")), remark];
  return { rows: [HEADER, toRow(scene, series)], goals: listGoals(scene, series), remarks };
}

/** A fork is made, asked and deleted. */
async function measureFork(
  { stage, bench }: Scene,
  name: string,
  { series, steps }: { readonly series: Series; readonly steps: Steps },
): Promise<void> {
  const { ms, value } = await time(async () => {
    const created = await stage.create(name);
    await untilOk(addressOf(created.url), bench.signal);
    return created;
  });
  const { timings } = value;
  series.add("create", ms);
  series.add("files", timings.files);
  series.add("database", timings.database);
  series.add("processes", timings.runtime);
  series.add("outside", ms - timings.total);
  steps.add(value);
  await stage.delete(name);
}

async function measureBeside(
  scene: Scene,
  peers: Peers | undefined,
  series: Series,
): Promise<void> {
  await scene.stage.run("sync");
  const floor = await measureFloor(scene);
  series.add("floor", floor.ms);
  series.add("copy", floor.copyMs);
  series.add("PostgreSQL", floor.databaseMs);
  if (peers === undefined) return;
  await scene.stage.run("sync");
  series.add("dump", await peers.dumpAndRestore());
  await scene.stage.run("sync");
  series.add("template", await peers.createFromTemplate());
}

function describePeers(peers: Peers | undefined): string {
  return peers === undefined
    ? "Left out: the peers, because Debian's PostgreSQL is not installed."
    : `The peers are PostgreSQL ${peers.version} as Debian packs it, and copy the database alone.`;
}

function toRow({ label }: Scene, series: Series): readonly string[] {
  const ms = (name: string): string => formatFigures(series.of(name));
  const create = series.of("create");
  const beside = (name: string): string =>
    formatRatio(ratioOf(series.of("database"), series.of(name)));
  const parts = [
    "create",
    "files",
    "database",
    "processes",
    "outside",
    "floor",
    "copy",
    "PostgreSQL",
  ];
  const ratio = formatRatio(ratioOf(create, series.of("floor")));
  const peers = ["dump", "template"].flatMap((name) => [ms(name), beside(name)]);
  return [...label, ...parts.map(ms), ratio, ...peers];
}

function listGoals({ label, cast }: Scene, series: Series): readonly Goal[] {
  const create = series.of("create");
  const where = label.join(", ");
  const sense = "at most";
  const ratio = ratioOf(create, series.of("floor"));
  const beside: Goal = {
    what: `create beside its floor (${where})`,
    measured: ratio,
    limit: 1.3,
    unit: "×",
    sense,
  };
  const isPromised =
    cast.app === "shop" && cast.size.label === "1 GB" && cast.place.label.startsWith("XFS");
  if (!isPromised) return [beside];
  return [
    beside,
    { what: `create (${where})`, measured: median(create), limit: 1000, unit: "ms", sense },
  ];
}
