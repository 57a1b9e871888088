import {
  createDatabase,
  forkDatabase,
  queryDatabase,
  startDatabase,
  stopDatabase,
  tidyDatabase,
} from "../../src/database/database.ts";
import type { Database } from "../../src/database/database.ts";
import { asAdmin, openTestHome } from "../../src/database/test-home.ts";
import type { TestHome } from "../../src/database/test-home.ts";
import { measureOwnBytes } from "../../src/files/files.ts";
import { formatFigures, time } from "../kit/figures.ts";
import { openPlaces } from "../kit/places.ts";
import type { Place } from "../kit/places.ts";
import { run } from "../kit/program.ts";
import type { Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import { withUndo } from "../kit/with-undo.ts";

const HEADER = ["source", "pieces of its files", "database fork", "a fork's own bytes, MB"];
const UPDATES = 60_000;
const A_BATCH = 2_000;
const MOST_OWN_BYTES = 60e6;

/** How long a fork takes whose source shared its blocks and was then written to all over, and after that was mended. */
export async function measureFragmentation(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const { places, remarks } = await openPlaces(undo, bench.signal);
    const place = places.find(({ label }) => label.startsWith("XFS"));
    if (place === undefined) return { rows: [], goals: [], remarks };
    const home = await openTestHome({ below: place.folder });
    undo.push(() => home.close());
    return measureAll(place, home, bench);
  });
}

async function measureAll({ label }: Place, home: TestHome, bench: Bench): Promise<Report> {
  const rows = bench.isQuick ? 200_000 : 1_000_000;
  const database = await makeSource(home, rows);
  const source = { home, database, bench };
  const size = `${rows / 1_000_000} GB, ${label}`;
  const fresh = await measureForks(source, `as it was forked first (${size})`);
  for (let done = 0; done < UPDATES; done += A_BATCH) await update(database, rows);
  const scattered = await measureForks(source, `after ${UPDATES} random updates`);
  await stopDatabase(database.place);
  const mending = await time(async () => tidyDatabase(database.place, bench.signal));
  await startDatabase(home.postgres, database.place);
  const mended = await measureForks(source, "after it was mended at rest");
  const what = `own bytes of a fork (${size})`;
  return {
    rows: [HEADER, fresh.row, scattered.row, mended.row],
    goals: [
      {
        what,
        measured: fresh.own / 1e6,
        limit: MOST_OWN_BYTES / 1e6,
        unit: "MB",
        sense: "at most",
      },
    ],
    remarks: [
      `Mending took ${Math.round(mending.ms)} ms, while nobody waited for it; files mended: ${mending.value}.`,
    ],
  };
}

/** Its first fork stays: as long as it does, what both have is shared. */
async function makeSource(home: TestHome, rows: number): Promise<Database> {
  const place = await home.createPlace();
  const database = { place, record: await createDatabase(home.postgres, place, "shop") };
  const table = "CREATE TABLE pile (id int PRIMARY KEY, n int, text text) WITH (fillfactor = 90)";
  await queryDatabase(database, table);
  const all = `SELECT id, 0, repeat(md5(id::text), 30) FROM generate_series(1, ${rows}) id`;
  await queryDatabase(database, `INSERT INTO pile ${all}`);
  await queryDatabase(database, "VACUUM (FREEZE) pile");
  const first = await home.createPlace();
  await forkDatabase(home.postgres, database, { place: first, maskSql: null });
  await stopDatabase(first);
  return database;
}

async function update(database: Database, rows: number): Promise<void> {
  const some = `SELECT (random() * ${rows})::int FROM generate_series(1, ${A_BATCH})`;
  await queryDatabase(database, `UPDATE pile SET n = n + 1 WHERE id IN (${some})`);
  await asAdmin(database, async (admin) => admin.query("CHECKPOINT"));
}

type Source = { readonly home: TestHome; readonly database: Database; readonly bench: Bench };

async function measureForks(
  { home, database, bench }: Source,
  label: string,
): Promise<{ readonly row: readonly string[]; readonly own: number }> {
  const figures: number[] = [];
  let own = 0;
  for (let round = 0; round < bench.rounds; round += 1) {
    bench.signal.throwIfAborted();
    const place = await home.createPlace();
    const target = { place, maskSql: null };
    figures.push((await time(async () => forkDatabase(home.postgres, database, target))).ms);
    await stopDatabase(place);
    own = (await measureOwnBytes(place.folder)) ?? Number.NaN;
  }
  const pieces = await countPieces(database, bench);
  const megabytes = (own / 1e6).toFixed(1);
  return { row: [label, pieces, formatFigures(figures), megabytes], own };
}

async function countPieces({ place }: Database, { signal }: Bench): Promise<string> {
  const args = ["base", "-type", "f", "-size", "+1M", "-exec", "filefrag", "{}", "+"];
  const where = { folder: place.folder, environment: process.env, signal };
  const printed = await run({ file: "find", args, ...where });
  const counts = [...printed.matchAll(/: (\d+) extents? found/g)].map(([, count]) => Number(count));
  return String(counts.reduce((sum, count) => sum + count, 0));
}
