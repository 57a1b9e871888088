import { statfs } from "node:fs/promises";
import path from "node:path";

import pg from "pg";

import { forEachParallel } from "../../src/base/for-each-parallel.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import { MARK_VARIABLE } from "../../src/environment/places.ts";
import { measureOwnBytes } from "../../src/files/files.ts";
import { findFamily, findMarked } from "../../src/process/process.ts";
import { createdEnvironmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { formatFigures, time } from "../kit/figures.ts";
import type { Timed } from "../kit/figures.ts";
import { ledgerStatements, proveAll, proveWritten } from "../kit/ledger.ts";
import { sumMemory } from "../kit/memory.ts";
import { openPeers } from "../kit/peers.ts";
import type { Peers } from "../kit/peers.ts";
import { openPlaces } from "../kit/places.ts";
import type { Place } from "../kit/places.ts";
import type { Goal, Report } from "../kit/report.ts";
import { requireDatabase, SIZES } from "../kit/scene.ts";
import type { Bench } from "../kit/scene.ts";
import { Stage } from "../kit/stage.ts";
import { withUndo } from "../kit/with-undo.ts";
import { Writer } from "../kit/writer.ts";

const HEADER = [
  "way",
  "copies",
  "each",
  "of it the database",
  "all",
  "what the source's clients notice",
];
const PEER_ROUNDS = 3;
const MOST_MEGABYTES = 60;
/** Proved at a time: a core each. */
const PROVED_AT_ONCE = 2;

/** Many forks of one source that is written to, each proved, awake and asleep, beside other ways to copy. */
export async function measureScale(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const { places, remarks } = await openPlaces(undo, bench.signal);
    const place = places.find(({ label }) => label.startsWith("XFS"));
    if (place === undefined) return { rows: [], goals: [], remarks };
    const ours = await withUndo(async (inner) => measureOurs(place, bench, inner));
    const rows = await withUndo(async (inner) => measurePeers(place, bench, inner));
    return { ...ours, rows: [HEADER, ...ours.rows, ...rows] };
  });
}

type Scene = {
  readonly place: Place;
  readonly stage: Stage;
  readonly source: CreatedEnvironment;
  readonly writer: Writer;
};

async function openScene(place: Place, bench: Bench, undo: UndoStack): Promise<Scene> {
  const stage = await Stage.open(place.folder, "ledger", bench);
  undo.push(() => stage.close());
  const source = createdEnvironmentSchema.parse(await stage.ramet("init"));
  const size = bench.isQuick ? SIZES.small : SIZES.large;
  const client = new pg.Client({ connectionString: requireDatabase(source) });
  await client.connect();
  for (const statement of ledgerStatements(size)) await client.query(statement);
  await client.end();
  const writer = await Writer.open(requireDatabase(source));
  undo.push(() => writer.close());
  await stage.run("sync");
  return { place, stage, source, writer };
}

async function measureOurs(place: Place, bench: Bench, undo: UndoStack): Promise<Report> {
  const [many, atOnce] = bench.isQuick ? [10, 4] : [100, 20];
  const scene = await openScene(place, bench, undo);
  const before = await usedBytes(place);
  const forks: Timed<CreatedEnvironment>[] = [];
  const one = await time(() =>
    scene.writer.watch(100, async () => {
      for (let number = 0; number < many; number += 1)
        forks.push(await time(() => scene.stage.create(`fork-${number}`)));
    }),
  );
  const used = (await usedBytes(place)) - before;
  const own = await measureOwn(scene, forks);
  const names = Array.from({ length: atOnce }, (_, number) => `burst-${number}`);
  const burst: Timed<CreatedEnvironment>[] = [];
  const all = await time(() =>
    scene.writer.watch(100, async () =>
      Promise.all(
        names.map(async (name) => burst.push(await time(() => scene.stage.create(name)))),
      ),
    ),
  );
  const wrong = await countWrong(scene, [...forks, ...burst]);
  const rest = await putToRest(scene, [...forks, ...burst]);
  return {
    rows: [
      toRow("`env create`, one after another", forks, one),
      toRow("`env create`, at once", burst, all),
    ],
    goals: listGoals({
      wrong,
      own,
      asleep: rest.processes,
      failed: one.value.failed + all.value.failed,
    }),
    remarks: [
      `Own disk of a fork, MB: ${formatFigures(own, 1)}; of the file system, with its own records, ${(used / many / 1e6).toFixed(1)} each.`,
      rest.text,
      compareEnds(forks),
    ],
  };
}

type Watched = { readonly ms: number; readonly value: Awaited<ReturnType<Writer["watch"]>> };

function toRow(way: string, forks: readonly Timed<CreatedEnvironment>[], all: Watched): string[] {
  const { failed, longestMs, statements } = all.value;
  return [
    way,
    String(forks.length),
    formatFigures(forks.map(({ ms }) => ms)),
    formatDatabase(forks),
    all.ms.toFixed(0),
    `${failed} of ${statements} statements failed, the longest took ${longestMs.toFixed(0)} ms`,
  ];
}

async function measureOwn(
  { stage }: Scene,
  forks: readonly Timed<CreatedEnvironment>[],
): Promise<readonly number[]> {
  const own: number[] = [];
  for (const { value } of forks)
    own.push(((await measureOwnBytes(path.join(stage.home, "data", value.id))) ?? NaN) / 1e6);
  return own;
}

/** How many copies are not their source as it was when their last row was written. */
async function countWrong(
  { source }: Scene,
  forks: readonly Timed<CreatedEnvironment>[],
): Promise<number> {
  const url = requireDatabase(source);
  const { filler } = await proveAll(url);
  let wrong = 0;
  await forEachParallel(forks, PROVED_AT_ONCE, async ({ value }) => {
    const proof = await proveAll(requireDatabase(value));
    const written = await proveWritten(url, proof.last);
    if (proof.filler !== filler || proof.written !== written) wrong += 1;
  });
  return wrong;
}

type Rest = { readonly processes: number; readonly text: string };

/** All awake, all asleep, all gone: what each costs. */
async function putToRest(
  { stage, source }: Scene,
  forks: readonly Timed<CreatedEnvironment>[],
): Promise<Rest> {
  const names = forks.map(({ value }) => value.name);
  const ids = new Set(forks.map(({ value }) => value.id));
  const find = async (): Promise<readonly { pid: number; mark: string }[]> =>
    (await findMarked(MARK_VARIABLE, `${await stage.readHomeId()}.`)).filter(({ mark }) =>
      ids.has(mark.split(".")[1] ?? ""),
    );
  const awake = await find();
  const of = (role: string): readonly number[] =>
    awake.filter(({ mark }) => mark.endsWith(role)).map(({ pid }) => pid);
  // A machine that is short of memory has put some to sleep by now.
  const databaseCount = of(".database").length;
  const families = await Promise.all(of(".database").map(findFamily));
  const databases = await sumMemory([...new Set(families.flat())]);
  const keepers = await sumMemory(of(".keeper"));
  const stopped = await time(() => eachOf(names, (name) => stage.ramet("env", "stop", name)));
  const processes = (await find()).length;
  const deleted = await time(() => eachOf(names, (name) => stage.delete(name)));
  const each = (kilobytes: number): string => (kilobytes / 1_000 / databaseCount).toFixed(1);
  const text =
    `${databaseCount} of ${names.length} awake at once: ${each(databases.pss)} MB (PSS) of PostgreSQL and ${each(keepers.pss)} MB of keeper each. ` +
    `Put to sleep one after another in ${seconds(stopped.ms)}: ${processes} processes are left of them. ` +
    `Deleted in ${seconds(deleted.ms)}; \`${source.name}\` runs on.`;
  return { processes, text };
}

async function eachOf(
  names: readonly string[],
  work: (name: string) => Promise<unknown>,
): Promise<void> {
  for (const name of names) await work(name);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(0)} s`;
}

/** Whether the last forks take longer than the first. */
function compareEnds(forks: readonly Timed<CreatedEnvironment>[]): string {
  const count = Math.min(10, Math.floor(forks.length / 2));
  const [first, last] = [forks.slice(0, count), forks.slice(-count)].map(formatDatabase);
  return `The database part of the first ${count}: ${first} ms; of the last ${count}: ${last} ms.`;
}

function formatDatabase(forks: readonly Timed<CreatedEnvironment>[]): string {
  return formatFigures(forks.map(({ value }) => value.timings.database));
}

/** What is in use of the file system, its own records included. */
async function usedBytes(place: Place): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(place.folder);
  return (blocks - bfree) * bsize;
}

async function measurePeers(
  place: Place,
  bench: Bench,
  undo: UndoStack,
): Promise<readonly (readonly string[])[]> {
  const size = bench.isQuick ? SIZES.small : SIZES.large;
  const peers = await openPeers({ place, size }, bench, undo);
  if (peers === undefined) return [];
  const ways: readonly [string, () => Promise<number>, string][] = [
    [
      "`CREATE DATABASE … TEMPLATE`, nobody connected",
      () => peers.createFromTemplate(),
      "there are none",
    ],
    ["`pg_basebackup`, and a start", () => peers.baseBackup(), "nothing"],
    ["`pg_dump \\| psql`", () => peers.dumpAndRestore(), "nothing"],
  ];
  const rows: (readonly string[])[] = [];
  for (const [way, copy, notice] of ways) {
    const figures: number[] = [];
    for (let round = 0; round < PEER_ROUNDS; round += 1) figures.push(await copy());
    rows.push([
      way,
      String(PEER_ROUNDS),
      formatFigures(figures),
      formatFigures(figures),
      "—",
      notice,
    ]);
  }
  return [...rows, await describeBeside(peers)];
}

async function describeBeside(peers: Peers): Promise<readonly string[]> {
  const { refusal, refusedMs, frozenMs, ended } = await peers.templateBesideClients();
  const notice = `refused after ${refusedMs.toFixed(0)} ms (${refusal}); else ${ended} of 4 thrown out, and nobody let in for ${frozenMs.toFixed(0)} ms`;
  const ms = frozenMs.toFixed(0);
  return ["`CREATE DATABASE … TEMPLATE`, 4 clients connected", "1", ms, ms, "—", notice];
}

type Outcome = {
  readonly wrong: number;
  readonly own: readonly number[];
  readonly asleep: number;
  readonly failed: number;
};

function listGoals({ wrong, own, asleep, failed }: Outcome): readonly Goal[] {
  const sense = "at most";
  return [
    {
      what: "copies whose checksum is not their source's",
      measured: wrong,
      limit: 0,
      unit: "copies",
      sense,
    },
    {
      what: "own disk of a fork",
      measured: Math.max(...own),
      limit: MOST_MEGABYTES,
      unit: "MB",
      sense,
    },
    {
      what: "processes of environments asleep",
      measured: asleep,
      limit: 0,
      unit: "processes",
      sense,
    },
    {
      what: "statements of the source that failed",
      measured: failed,
      limit: 0,
      unit: "statements",
      sense,
    },
  ];
}
