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

/** Commands as whole processes, in turn with a Node that does nothing; from the checkout, and as npm installs it. */
export async function measureCli(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const place = await openHere(undo);
    const stage = await Stage.open(place, "notes", bench);
    undo.push(() => stage.close());
    await stage.ramet("init");
    const launchers = [
      ["checkout", path.join(ROOT, "bin/ramet")],
      ["installed", bench.launcher],
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
