import { cp, mkdir, readdir, symlink } from "node:fs/promises";
import path from "node:path";

import { formatFigures, formatRatio, median, ratioOf, Series, time } from "../kit/figures.ts";
import { openHere } from "../kit/places.ts";
import type { Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import { ROOT, Stage } from "../kit/stage.ts";
import { withUndo } from "../kit/with-undo.ts";

const COMMANDS = [["--version"], ["env", "list"], ["env", "show", "development"]];
const FLOOR = "node -e 0";
const ROUNDS_FOR_ONE = 5;
/** Made by the tools, or not a part of the package. */
const NOT_PACKED = new Set(["node_modules", ".git", "dist"]);

/** Commands as whole processes, in turn with a Node that does nothing; from the checkout, and as npm installs it. */
export async function measureCli(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const place = await openHere(undo);
    const stage = await Stage.open(place, "notes", bench.signal);
    undo.push(() => stage.close());
    await stage.ramet("init");
    const launchers = [
      ["checkout", path.join(ROOT, "bin/ramet")],
      ["installed", await install(stage)],
    ] as const;
    const series = new Series();
    // The first ones fill Node's compile caches and the machine's.
    await measureRound(stage, launchers, new Series());
    for (let round = 0; round < bench.rounds * ROUNDS_FOR_ONE; round += 1)
      await measureRound(stage, launchers, series);
    return report(series);
  });
}

type Launchers = readonly (readonly [label: string, file: string])[];

async function measureRound(stage: Stage, launchers: Launchers, series: Series): Promise<void> {
  const node = await time(() => stage.run(process.execPath, "-e", "0"));
  series.add(FLOOR, node.ms);
  for (const [label, file] of launchers) {
    for (const command of COMMANDS) {
      const { ms } = await time(() => stage.run(file, ...command));
      series.add(`ramet ${command.join(" ")} (${label})`, ms);
    }
  }
}

/** Packs a copy of the checkout, because packing builds, and installs that. Resolves with the installed launcher. */
async function install(stage: Stage): Promise<string> {
  const checkout = path.join(stage.folder, "checkout");
  await cp(ROOT, checkout, {
    recursive: true,
    preserveTimestamps: true,
    filter: (file) => !NOT_PACKED.has(path.basename(file)),
  });
  await symlink(path.join(ROOT, "node_modules"), path.join(checkout, "node_modules"));
  const inside = ["--prefix", checkout, "--silent", "--pack-destination", stage.folder];
  await stage.run("npm", "pack", checkout, ...inside);
  const archive = (await readdir(stage.folder)).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) throw new Error("npm pack made no archive.");
  const target = path.join(stage.folder, "installed");
  await mkdir(target);
  const quiet = ["--silent", "--no-audit", "--no-fund", "--prefer-offline"];
  const packed = path.join(stage.folder, archive);
  await stage.run("npm", "install", "--prefix", target, ...quiet, packed);
  return path.join(target, "node_modules/.bin/ramet");
}

function report(series: Series): Report {
  const floor = series.of(FLOOR);
  const rows = series
    .names()
    .map((name) => [
      name,
      formatFigures(series.of(name)),
      formatRatio(ratioOf(series.of(name), floor)),
    ]);
  // Whichever is larger is promised.
  const limit = Math.max(100, Math.round(2.5 * median(floor)));
  const goals = series
    .names()
    .filter((name) => name.startsWith("ramet env list"))
    .map((what) => {
      const measured = median(series.of(what));
      return { what, measured, limit, unit: "ms", sense: "at most" } as const;
    });
  return { rows: [["command", "ms", `beside ${FLOOR}`], ...rows], goals, remarks: [] };
}
