import { appendFile, readdir, readFile, rm, statfs } from "node:fs/promises";
import path from "node:path";

import { waitFor } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { formatFigures, formatRatio, median, ratioOf, Series, time } from "../kit/figures.ts";
import { startApp } from "../kit/floor.ts";
import { addressOf, untilOk } from "../kit/http.ts";
import { openPlaces } from "../kit/places.ts";
import type { Place } from "../kit/places.ts";
import { joinReports } from "../kit/report.ts";
import type { Goal, Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import { Stage } from "../kit/stage.ts";
import { Steps } from "../kit/steps.ts";
import { withUndo } from "../kit/with-undo.ts";

const HEADER = [
  "file system",
  "`node_modules`",
  "create, a copy kept ready",
  "of it files",
  "create, copied",
  "of it files",
  "the app's own start",
  "create / own start",
  "`npm install`",
  "own disk of 10 forks, MB",
  "of 10 `npm install`, MB",
];
const QUIET = ["--no-audit", "--no-fund", "--prefer-offline", "--silent"];
const READY_LIMIT_MS = 120_000;
const FORKS = 10;

/** `env create` of an app with many packages, with and without a copy of them that is kept ready, beside the app's own start. */
export async function measureDependencies(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const { places, remarks } = await openPlaces(undo, bench.signal);
    const reports: Report[] = [];
    for (const place of places)
      reports.push(await withUndo(async (inner) => measurePlace(place, bench, inner)));
    const joined = joinReports(reports);
    return { ...joined, remarks: [...joined.remarks, ...remarks] };
  });
}

type Scene = { readonly place: Place; readonly stage: Stage; readonly bench: Bench };

async function measurePlace(place: Place, bench: Bench, undo: UndoStack): Promise<Report> {
  const stage = await Stage.open(place.folder, "storefront", bench);
  undo.push(() => stage.close());
  const scene = { place, stage, bench };
  const install = await measureInstall(scene);
  await stage.ramet("init");
  const [series, steps] = [new Series(), new Steps()];
  for (let round = 0; round < bench.rounds; round += 1)
    await measureRound(scene, round, { series, steps });
  const forks = await measureForks(scene);
  const size = await describePackages(stage);
  const figures = ["ready", "ready files", "copied", "copied files", "start"];
  const row = [
    place.label,
    size,
    ...figures.map((name) => formatFigures(series.of(name))),
    formatRatio(ratioOf(series.of("ready"), series.of("start"))),
    install.ms.toFixed(0),
    forks.megabytes.toFixed(0),
    (FORKS * install.megabytes).toFixed(0),
  ];
  const remarks = [steps.format(`${place.label}, a copy kept ready`)];
  return { rows: [HEADER, row], goals: listGoals(place, series, forks.shared), remarks };
}

/** What everyone would wait for otherwise: the packages are in the cache of npm already. */
async function measureInstall({ place, stage }: Scene): Promise<{ ms: number; megabytes: number }> {
  await stage.run("npm", "install", ...QUIET);
  const modules = path.join(stage.app, "node_modules");
  await rm(modules, { recursive: true });
  const before = await usedMegabytes(place, stage);
  const { ms } = await time(() => stage.run("npm", "install", ...QUIET));
  return { ms, megabytes: (await usedMegabytes(place, stage)) - before };
}

/** `steps`: of forks that are given the copy that waits. */
type Figures = { readonly series: Series; readonly steps: Steps };

/** A fork that is given the copy that waits, one at once after it that finds none, and the app started by hand. */
async function measureRound(scene: Scene, round: number, figures: Figures): Promise<void> {
  const { series, steps } = figures;
  await untilReady(scene);
  steps.add(await measureFork(scene, { round, way: "ready", series }));
  await measureFork(scene, { round, way: "copied", series });
  for (const way of ["ready", "copied"]) await scene.stage.delete(`${way}-${round}`);
  series.add("start", await measureStart(scene));
}

async function measureFork(
  { stage, bench }: Scene,
  { round, way, series }: { readonly round: number; readonly way: string; readonly series: Series },
): Promise<CreatedEnvironment> {
  const { ms, value } = await time(async () => {
    const created = await stage.create(`${way}-${round}`);
    await untilOk(addressOf(created.url), bench.signal);
    return created;
  });
  series.add(way, ms);
  series.add(`${way} files`, value.timings.files);
  return value;
}

/** In a copy that was made beforehand, without what Vite keeps for one folder. */
async function measureStart({ stage, bench }: Scene): Promise<number> {
  const folder = path.join(stage.folder, "by-hand");
  return withUndo(async (undo) => {
    undo.push(() => rm(folder, { recursive: true, force: true }));
    await stage.run("cp", "-a", "--reflink=auto", stage.app, folder);
    await rm(path.join(folder, "node_modules/.vite"), { recursive: true, force: true });
    await stage.run("sync");
    const start = { folder, variables: {}, signal: bench.signal };
    return (await time(() => startApp(stage, start, undo))).ms;
  });
}

/** Ten, each of which writes into a package; how many see what another wrote. */
async function measureForks(scene: Scene): Promise<{ megabytes: number; shared: number }> {
  const { place, stage } = scene;
  await untilReady(scene);
  const before = await usedMegabytes(place, stage);
  const names = Array.from({ length: FORKS }, (_, index) => `disk-${index}`);
  const files: string[] = [];
  for (const name of names) {
    const { files: tree } = await stage.create(name);
    await stage.ramet("env", "stop", name);
    files.push(path.join(tree.path, "node_modules/react/index.js"));
    await appendFile(files.at(-1) ?? "", `// ${name} was here\n`);
  }
  await untilReady(scene);
  const megabytes = (await usedMegabytes(place, stage)) - before;
  const texts = await Promise.all(
    [...files, path.join(stage.app, "node_modules/react/index.js")].map(async (file) =>
      readFile(file, "utf8"),
    ),
  );
  const shared = texts.filter((text, index) => {
    const seen = text.match(/^\/\/ \S+ was here$/gm) ?? [];
    return seen.some((line) => line !== `// disk-${index} was here`) || seen.length > 1;
  }).length;
  for (const name of names) await stage.delete(name);
  return { megabytes, shared };
}

async function untilReady({ stage, bench: { signal } }: Scene): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    const names = await readdir(stage.home, { recursive: false });
    if (!names.includes("spares")) return undefined;
    const folders = await readdir(path.join(stage.home, "spares"));
    const contents = folders.map(async (name) => readdir(path.join(stage.home, "spares", name)));
    const all = await Promise.allSettled(contents);
    const isWhole = all.some(
      (one) => one.status === "fulfilled" && one.value.includes("spare.json"),
    );
    return isWhole ? true : undefined;
  };
  const ready = await waitFor(look, { timeoutMs: READY_LIMIT_MS, everyMs: 100, signal });
  if (ready === undefined) throw new Error("No copy was made ready.");
}

async function describePackages(stage: Stage): Promise<string> {
  const [packages, entries, megabytes] = await Promise.all([
    stage.run("sh", "-c", "npm query '*' --silent | grep -c '\"pkgid\"'"),
    stage.run("sh", "-c", "find node_modules | wc -l"),
    stage.run("sh", "-c", "du -sm --apparent-size node_modules | cut -f1"),
  ]);
  return `${packages.trim()} packages, ${entries.trim()} files and folders, ${megabytes.trim()} MB`;
}

async function usedMegabytes({ folder }: Place, stage: Stage): Promise<number> {
  await stage.run("sync");
  const { blocks, bfree, bsize } = await statfs(folder);
  return ((blocks - bfree) * bsize) / 1e6;
}

function listGoals({ label }: Place, series: Series, shared: number): readonly Goal[] {
  return [
    {
      what: `create beside the app's own start (${label})`,
      measured: median(series.of("ready")) / median(series.of("start")),
      limit: 1.3,
      unit: "×",
      sense: "at most",
    },
    {
      what: `trees that see what was written into another's packages (${label})`,
      measured: shared,
      limit: 0,
      unit: "copies",
      sense: "at most",
    },
  ];
}
