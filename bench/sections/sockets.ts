import { sleep } from "../../src/base/clock.ts";
import { formatFigures, median, quantile, Series } from "../kit/figures.ts";
import { readMemory } from "../kit/memory.ts";
import type { Goal, Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import { measureEcho, openSockets } from "../kit/sockets.ts";
import { describeIsolation, openWays, PROXIES, WAYS } from "../kit/ways.ts";
import type { OpenWays, Way } from "../kit/ways.ts";
import { withUndo } from "../kit/with-undo.ts";

const CONNECTIONS = [1, 32] as const;
const WARM_UP_MS = 500;
const IDLE_SOCKETS = 1000;
/** After so long a process has done with what it needed to open them. */
const SETTLE_MS = 1500;
const HEADER = [
  "WebSockets",
  "way",
  "messages/s",
  "of direct",
  "p50, ms",
  "p99, ms",
  `memory of ${IDLE_SOCKETS} idle, MB`,
];

/** Messages there and back, and what open WebSockets cost whoever is between: direct, Ramet and plain proxies in turn. */
export async function measureSockets(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const open = await openWays(bench, undo);
    const ms = bench.isQuick ? 600 : 2_000;
    const idle = await measureIdle(open);
    const measured: (readonly [connections: number, series: Series])[] = [];
    for (const connections of CONNECTIONS) {
      for (const way of WAYS) await measureEcho(open.ways[way], { connections, ms: WARM_UP_MS });
      const series = new Series();
      for (let round = 0; round < bench.rounds; round += 1)
        for (const way of WAYS) {
          bench.signal.throwIfAborted();
          const figures = await measureEcho(open.ways[way], { connections, ms });
          series.add(`${way} rate`, (figures.length * 1000) / ms);
          series.add(`${way} p50`, median(figures));
          series.add(`${way} p99`, quantile(figures, 0.99));
        }
      measured.push([connections, series]);
    }
    return {
      rows: [
        HEADER,
        ...measured.flatMap(([connections, series]) => toRows(connections, series, idle)),
      ],
      goals: measured.map(([connections, series]) => toGoal(connections, series)),
      remarks: [describeIsolation(open.isolation)],
    };
  });
}

/** Megabytes that each has more of while so many are open than before. */
async function measureIdle({ ways, pids }: OpenWays): Promise<Readonly<Record<string, number>>> {
  const grown: Record<string, number> = {};
  for (const way of WAYS) {
    // A first one: what it needs once is no part of what each needs.
    for (const socket of await openSockets(ways[way], 1)) socket.destroy();
    await sleep(SETTLE_MS);
    const before = await readMemory(pids[way]);
    const sockets = await openSockets(ways[way], IDLE_SOCKETS);
    await sleep(SETTLE_MS);
    const { rss } = await readMemory(pids[way]);
    grown[way] = (rss - before.rss) / 1000;
    for (const socket of sockets) socket.destroy();
    await sleep(SETTLE_MS);
  }
  return grown;
}

function toRows(
  connections: number,
  series: Series,
  idle: Readonly<Record<string, number>>,
): readonly (readonly string[])[] {
  const direct = median(series.of("direct rate"));
  return WAYS.map((way) => [
    String(connections),
    way,
    formatFigures(series.of(`${way} rate`)),
    (median(series.of(`${way} rate`)) / direct).toFixed(2),
    formatFigures(series.of(`${way} p50`), 2),
    formatFigures(series.of(`${way} p99`), 2),
    (idle[way] ?? NaN).toFixed(1),
  ]);
}

function toGoal(connections: number, series: Series): Goal {
  const rateOf = (way: Way): number => median(series.of(`${way} rate`));
  const best = Math.max(...PROXIES.map(rateOf));
  const what = `WebSocket messages/s beside the best proxy (${connections})`;
  return { what, measured: rateOf("ramet") / best, limit: 0.8, unit: "×", sense: "at least" };
}
