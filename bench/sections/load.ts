import { sleep } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import type { Database } from "../../src/database/database.ts";
import { Databases } from "../kit/databases.ts";
import type { Forked } from "../kit/databases.ts";
import { formatFigures } from "../kit/figures.ts";
import { Pgbench } from "../kit/pgbench.ts";
import type { Burden } from "../kit/pgbench.ts";
import { openPlaces } from "../kit/places.ts";
import type { Place } from "../kit/places.ts";
import { joinReports } from "../kit/report.ts";
import type { Goal, Report } from "../kit/report.ts";
import { SIZES } from "../kit/scene.ts";
import type { Bench } from "../kit/scene.ts";
import { withUndo } from "../kit/with-undo.ts";

const HEADER = [
  "file system",
  "database",
  "meanwhile",
  "transactions/s",
  "p50, ms",
  "p99, ms",
  "longest, ms",
  "clients that failed",
  "forks",
  "each, ms",
  "longest checkpoint, ms",
];
const CALM_SECONDS = 10;
const BUSY_SECONDS = 20;
/** As agents fork who come one by one. */
const SPACED_MS = 5_000;
/** By reflink; where bytes are copied, as many as a small disk has room for. */
const AT_ONCE = { reflink: [16, 20], bytes: [4] } as const;
const MOST_RATIO = 2;

/** What the clients of a source notice of its forks. */
export async function measureBurden(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const { places, remarks } = await openPlaces(undo, bench.signal);
    const reports: Report[] = [];
    for (const place of places) reports.push(await measureOn(place, bench, undo));
    const report = joinReports(reports);
    return { ...report, remarks: [...report.remarks, ...remarks] };
  });
}

type Scene = {
  readonly label: readonly [place: string, size: string];
  readonly databases: Databases;
  readonly source: Database;
  readonly pgbench: Pgbench;
  readonly signal: AbortSignal;
};

async function measureOn(place: Place, bench: Bench, undo: UndoStack): Promise<Report> {
  const size = bench.isQuick ? SIZES.small : SIZES.large;
  const databases = await Databases.open(place, undo, bench.signal);
  const source = await databases.create(size);
  const pgbench = await Pgbench.open(source, bench.signal);
  if (pgbench === undefined)
    return { rows: [], goals: [], remarks: ["Left out: pgbench is missing."] };
  const label = [place.label, size.label] as const;
  const scene: Scene = { label, databases, source, pgbench, signal: bench.signal };
  const calm = await pgbench.measure(CALM_SECONDS);
  const kind = place.label.startsWith("XFS") ? "reflink" : "bytes";
  const rows = [toRow(scene, "nothing", { burden: calm, forks: [] })];
  const spaced = await measureWhile(scene, BUSY_SECONDS, async (end) =>
    forkUntil(scene, { end, everyMs: SPACED_MS }),
  );
  rows.push(toRow(scene, `a fork every ${SPACED_MS / 1_000} seconds`, spaced));
  const one = await measureWhile(scene, BUSY_SECONDS, async (end) =>
    forkUntil(scene, { end, everyMs: 0 }),
  );
  rows.push(toRow(scene, "one fork after another", one));
  const bursts: Burden[] = [];
  for (const count of AT_ONCE[kind]) {
    const burst = await measureWhile(scene, BUSY_SECONDS, async () => forkAtOnce(scene, count));
    rows.push(toRow(scene, `${count} forks at once`, burst));
    bursts.push(burst.burden);
  }
  return {
    rows: [HEADER, ...rows],
    goals: listGoals(scene, calm, [one.burden, ...bursts]),
    remarks: [],
  };
}

type Seen = { readonly burden: Burden; readonly forks: readonly Forked[] };

/** Forks while pgbench runs; each must answer. */
async function measureWhile(
  { pgbench }: Scene,
  seconds: number,
  work: (end: number) => Promise<readonly Forked[]>,
): Promise<Seen> {
  const end = performance.now() + seconds * 1_000;
  const [burden, forks] = await Promise.all([pgbench.measure(seconds), work(end)]);
  return { burden, forks };
}

/** One begins `everyMs` after the one before it began, or when that is removed, if this is later. */
async function forkUntil(
  { databases, source, signal }: Scene,
  { end, everyMs }: { readonly end: number; readonly everyMs: number },
): Promise<readonly Forked[]> {
  const forks: Forked[] = [];
  while (performance.now() < end - 2_000) {
    const next = performance.now() + everyMs;
    const forked = await databases.fork(source);
    await databases.remove(forked.database);
    forks.push(forked);
    await sleep(Math.max(0, next - performance.now()), signal);
  }
  return forks;
}

async function forkAtOnce({ databases, source }: Scene, count: number): Promise<readonly Forked[]> {
  const forks = await Promise.all(Array.from({ length: count }, () => databases.fork(source)));
  for (const { database } of forks) await databases.remove(database);
  return forks;
}

function toRow({ label }: Scene, meanwhile: string, seen: Seen): readonly string[] {
  const { burden, forks } = seen;
  const { perSecond, p50, p99, longest, failed } = burden;
  const checkpoints = forks.flatMap(({ steps }) =>
    steps.filter(({ name }) => name === "checkpoint of the source").map(({ ms }) => ms),
  );
  return [
    ...label,
    meanwhile,
    perSecond.toFixed(0),
    ...[p50, p99, longest].map((ms) => ms.toFixed(1)),
    String(failed),
    String(forks.length),
    formatFigures(forks.map(({ ms }) => ms)),
    checkpoints.length === 0 ? "—" : Math.max(...checkpoints).toFixed(0),
  ];
}

function listGoals(
  { label }: Scene,
  calm: Burden,
  [one, ...bursts]: readonly Burden[],
): readonly Goal[] {
  const where = label.join(", ");
  const sense = "at most";
  const failed = [one, ...bursts].reduce((sum, burden) => sum + (burden?.failed ?? 0), 0);
  const measured = (one?.p99 ?? Number.NaN) / calm.p99;
  return [
    { what: `clients that failed (${where})`, measured: failed, limit: 0, unit: "clients", sense },
    {
      what: `p99 during one fork after another beside before (${where})`,
      measured,
      limit: MOST_RATIO,
      unit: "×",
      sense,
    },
  ];
}
