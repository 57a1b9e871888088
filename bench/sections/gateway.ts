import { formatFigures, median, quantile, Series } from "../kit/figures.ts";
import type { Address } from "../kit/http.ts";
import { measureLoad } from "../kit/load.ts";
import type { Goal, Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import { describeIsolation, openWays, PROXIES, WAYS } from "../kit/ways.ts";
import type { Way, Ways } from "../kit/ways.ts";
import { withUndo } from "../kit/with-undo.ts";

/** Where a request goes, and on how many connections. */
type Trial = { readonly body: string; readonly path: string; readonly connections: number };

const BODIES = [
  { body: "5 bytes", path: "/" },
  { body: "100 kB", path: "/large" },
];
const TRIALS: readonly Trial[] = BODIES.flatMap((one) =>
  [1, 32].map((connections) => ({ ...one, connections })),
);
const WARM_UP_MS = 1_500;
const HEADER = [
  "body",
  "connections",
  "way",
  "requests/s",
  "of direct",
  "of the best proxy",
  "p50, ms",
  "p99, ms",
  "added to p50, ms",
];

/** The same app asked directly, through Ramet's server and through plain proxies, each a process of its own, in turn. */
export async function measureGateway(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const { ways, isolation } = await openWays(bench, undo);
    const ms = bench.isQuick ? 600 : 2_000;
    for (const way of WAYS)
      for (const trial of TRIALS)
        await measureLoad(at(ways, way, trial), { ...trial, ms: WARM_UP_MS / TRIALS.length });
    const reports: Series[] = [];
    for (const trial of TRIALS) {
      const series = new Series();
      for (let round = 0; round < bench.rounds; round += 1)
        for (const way of WAYS) {
          bench.signal.throwIfAborted();
          const figures = await measureLoad(at(ways, way, trial), { ...trial, ms });
          series.add(`${way} rate`, (figures.length * 1000) / ms);
          series.add(`${way} p50`, median(figures));
          series.add(`${way} p99`, quantile(figures, 0.99));
        }
      reports.push(series);
    }
    return report(reports, describeIsolation(isolation));
  });
}

function at(ways: Ways, way: Way, trial: Trial): Address {
  return { ...ways[way], path: trial.path };
}

function report(measured: readonly Series[], remark: string): Report {
  const rows = measured.flatMap((series, index) => toRows(series, TRIALS[index]));
  const goals = measured.map((series, index) => toGoal(series, TRIALS[index]));
  return { rows: [HEADER, ...rows], goals, remarks: [remark] };
}

function toRows(series: Series, trial: Trial | undefined): readonly (readonly string[])[] {
  const share = (way: Way, floor: number): string =>
    (median(series.of(`${way} rate`)) / floor).toFixed(2);
  const direct = median(series.of("direct rate"));
  const directP50 = median(series.of("direct p50"));
  return WAYS.map((way) => [
    trial?.body ?? "",
    String(trial?.connections),
    way,
    formatFigures(series.of(`${way} rate`)),
    share(way, direct),
    share(way, bestOf(series)),
    formatFigures(series.of(`${way} p50`), 2),
    formatFigures(series.of(`${way} p99`), 2),
    (median(series.of(`${way} p50`)) - directP50).toFixed(2),
  ]);
}

function bestOf(series: Series): number {
  return Math.max(...PROXIES.map((proxy) => median(series.of(`${proxy} rate`))));
}

function toGoal(series: Series, trial: Trial | undefined): Goal {
  const what = `requests/s beside the best proxy (${trial?.body}, ${trial?.connections} connections)`;
  const measured = median(series.of("ramet rate")) / bestOf(series);
  return { what, measured, limit: 0.8, unit: "×", sense: "at least" };
}
