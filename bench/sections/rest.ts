import { waitFor } from "../../src/base/clock.ts";
import { forEachParallel } from "../../src/base/for-each-parallel.ts";
import { MARK_VARIABLE } from "../../src/environment/places.ts";
import { findMarked } from "../../src/process/process.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { formatFigures, median, Series, time } from "../kit/figures.ts";
import { measureFloor } from "../kit/floor.ts";
import { addressOf, untilOk } from "../kit/http.ts";
import { readMemory } from "../kit/memory.ts";
import { openHere } from "../kit/places.ts";
import type { Goal, Report } from "../kit/report.ts";
import { openScene, SIZES } from "../kit/scene.ts";
import type { Bench, Scene } from "../kit/scene.ts";
import { withUndo } from "../kit/with-undo.ts";

const HEADER = ["what", "figure", "beside it"];
const MADE_AT_ONCE = 4;
/** Of the server, for a figure of its memory. */
const STARTS = 3;
/** A minute without use, and some looks after it. */
const FREEZE_LIMIT_MS = 150_000;

/** Many environments, few of them awake: what those that sleep cost, and how soon they, and those held still, answer. */
export async function measureRest(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const place = { label: "here", folder: await openHere(undo) };
    const scene = await openScene({ place, app: "shop", size: SIZES.small }, bench, undo);
    const [many, awake] = bench.isQuick ? [20, 4] : [200, 20];
    const { forks, memory } = await makeAll(scene, many, awake);
    const asleep = forks.slice(awake);
    const processes = await countProcesses(scene, asleep);
    const series = new Series();
    const frozen = await measureThaws(scene, forks.slice(0, awake), series);
    await measureWakes(scene, asleep, series);
    return {
      rows: listRows(series, memory, { awake, asleep: asleep.length }),
      goals: listGoals(series, { eachKilobytes: memory.asleep, processes }),
      remarks: [frozen],
    };
  });
}

/** kB of a server that was started anew and has answered: the median of some starts. */
async function readFreshServer({ stage }: Scene): Promise<number> {
  const starts = new Series();
  for (let start = 0; start < STARTS; start += 1) {
    await stage.ramet("server", "restart");
    await stage.ramet("env", "list");
    starts.add("rss", (await readMemory(await stage.readServerPid())).rss);
  }
  return median(starts.of("rss"));
}

/** kB of the server's memory that one environment more takes. */
type Shares = { readonly asleep: number; readonly awake: number };

/**
 * All but the first few are put to sleep at once. What one that sleeps takes is told by the second half of them alone,
 * while as many are awake as before.
 */
async function makeAll(
  scene: Scene,
  many: number,
  awake: number,
): Promise<{ readonly forks: readonly CreatedEnvironment[]; readonly memory: Shares }> {
  const half = awake + Math.floor((many - awake) / 2);
  const none = await readFreshServer(scene);
  const first = await makeSome(scene, { from: 0, to: half, awake });
  const few = await readFreshServer(scene);
  const second = await makeSome(scene, { from: half, to: many, awake });
  const asleep = ((await readFreshServer(scene)) - few) / second.length;
  const ofAwake = (few - none - asleep * (half - awake)) / awake;
  return { forks: [...first, ...second], memory: { asleep, awake: ofAwake } };
}

type Some = { readonly from: number; readonly to: number; readonly awake: number };

async function makeSome(
  { stage }: Scene,
  { from, to, awake }: Some,
): Promise<readonly CreatedEnvironment[]> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  const made: CreatedEnvironment[] = [];
  await forEachParallel(numbers, MADE_AT_ONCE, async (number) => {
    const name = `rest-${number}`;
    made[number - from] = await stage.create(name);
    if (number >= awake) await stage.ramet("env", "stop", name);
  });
  return made;
}

async function countProcesses(
  { stage }: Scene,
  environments: readonly CreatedEnvironment[],
): Promise<number> {
  const ids = new Set<string>(environments.map(({ id }) => id));
  const marked = await findMarked(MARK_VARIABLE, `${await stage.readHomeId()}.`);
  return marked.filter(({ mark }) => ids.has(mark.split(".")[1] ?? "")).length;
}

/** Each is left alone until it is held still, then asked, then asked again. Resolves with how many were held still. */
async function measureThaws(
  { stage, bench }: Scene,
  environments: readonly CreatedEnvironment[],
  series: Series,
): Promise<string> {
  const listFrozen = async (): Promise<ReadonlySet<string>> => {
    const listed = environmentSchema.array().parse(await stage.ramet("env", "list"));
    return new Set(listed.filter(({ state }) => state === "frozen").map(({ id }) => id));
  };
  const areAll = async (): Promise<true | undefined> => {
    const frozen = await listFrozen();
    return environments.every(({ id }) => frozen.has(id)) || undefined;
  };
  await waitFor(areAll, { timeoutMs: FREEZE_LIMIT_MS, everyMs: 1_000, signal: bench.signal });
  const frozen = await listFrozen();
  for (const { id, url } of environments) {
    if (!frozen.has(id)) continue;
    const address = addressOf(url);
    series.add("thaw", (await time(() => untilOk(address, bench.signal))).ms);
    series.add("awake", (await time(() => untilOk(address, bench.signal))).ms);
  }
  const held = environments.filter(({ id }) => frozen.has(id)).length;
  return `${held} of ${environments.length} awake ones were held still after a minute without use.`;
}

async function measureWakes(
  scene: Scene,
  asleep: readonly CreatedEnvironment[],
  series: Series,
): Promise<void> {
  for (const { url } of asleep.slice(0, scene.bench.rounds)) {
    const address = addressOf(url);
    series.add("wake", (await time(() => untilOk(address, scene.bench.signal))).ms);
    const floor = await measureFloor(scene);
    series.add("bare", floor.ms - floor.copyMs);
  }
}

function listRows(
  series: Series,
  memory: Shares,
  { awake, asleep }: { readonly awake: number; readonly asleep: number },
): Report["rows"] {
  const figures = (name: string, digits = 0): string => formatFigures(series.of(name), digits);
  return [
    HEADER,
    [
      `server memory of each asleep, from ${Math.floor(asleep / 2)} to ${asleep} of them, kB`,
      memory.asleep.toFixed(0),
      `of each of the ${awake} awake: ${memory.awake.toFixed(0)}`,
    ],
    [
      "the first answer of one asleep, ms",
      figures("wake"),
      `PostgreSQL's and the app's own start: ${figures("bare")}`,
    ],
    [
      "the first answer of one held still, ms",
      figures("thaw", 1),
      `the next answer: ${figures("awake", 1)}`,
    ],
  ];
}

function listGoals(
  series: Series,
  { eachKilobytes, processes }: { readonly eachKilobytes: number; readonly processes: number },
): readonly Goal[] {
  const sense = "at most";
  const wakeMs = median(series.of("wake")) - median(series.of("bare"));
  return [
    {
      what: "processes of environments asleep",
      measured: processes,
      limit: 0,
      unit: "processes",
      sense,
    },
    {
      what: "server memory of each asleep",
      measured: eachKilobytes / 1_000,
      limit: 1,
      unit: "MB",
      sense,
    },
    { what: "a wake beyond the bare start", measured: wakeMs, limit: 100, unit: "ms", sense },
    {
      what: "the first answer of one held still",
      measured: median(series.of("thaw")),
      limit: 50,
      unit: "ms",
      sense,
    },
  ];
}
