import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { sleep } from "../../src/base/clock.ts";
import type { UndoStack } from "../../src/base/undo-stack.ts";
import { findFreePort } from "../../src/process/process.ts";
import { createdEnvironmentSchema } from "../../src/protocol/schemas.ts";
import type { CreatedEnvironment } from "../../src/protocol/schemas.ts";
import { formatFigures, formatRatio, ratioOf, Series, time } from "../kit/figures.ts";
import { addressOf, directAddress, untilOk, untilText } from "../kit/http.ts";
import type { Address } from "../kit/http.ts";
import { openHere } from "../kit/places.ts";
import { serve } from "../kit/program.ts";
import type { Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import { requireDatabase } from "../kit/scene.ts";
import { Stage } from "../kit/stage.ts";
import type { AppName } from "../kit/stage.ts";
import { withUndo } from "../kit/with-undo.ts";

/** An edit, and where its effect shows; the file as it was stands between two of them. */
type Edit = {
  readonly what: string;
  readonly file: string;
  readonly before: string;
  readonly after: (mark: string) => string;
  readonly path: string;
  readonly process: string;
};

const VITE: Edit = {
  what: "Vite reloads a module of the shop",
  file: "web/headline.ts",
  before: 'headline = "',
  after: (mark) => `headline = "${mark} `,
  path: "/headline.ts",
  process: "web",
};
const NODE_WATCH: Edit = {
  what: "node --watch restarts the shop's API",
  file: "api/server.mjs",
  before: "({ ok: ",
  after: (mark) => `({ edit: "${mark}", ok: `,
  path: "/api/health",
  process: "api",
};
const RESTARTED: Edit = {
  what: "Ramet restarts the notes",
  file: "headline.mjs",
  before: '"Notes',
  after: (mark) => `"${mark} Notes`,
  path: "/",
  process: "web",
};
/** Watchers take two edits in quick succession for one; nobody types so fast. */
const BETWEEN_EDITS_MS = 500;
const HEADER = [
  "what",
  "to the new answer by the URL",
  "floor",
  "floor's meaning",
  "beside the floor",
];

/** From the write of a file to the app's new answer, while `ramet dev` runs. */
export async function measureDev(bench: Bench): Promise<Report> {
  const reloaded = await withUndo(async (undo) => {
    const set = await openSet("shop", bench, undo);
    return [await measureReload(set, VITE), await measureReload(set, NODE_WATCH)];
  });
  const restarted = await withUndo(async (undo) =>
    measureRestart(await openSet("notes", bench, undo)),
  );
  return { rows: [HEADER, ...reloaded, restarted], goals: [], remarks: [] };
}

type Set = { readonly stage: Stage; readonly source: CreatedEnvironment; readonly bench: Bench };

async function openSet(app: AppName, bench: Bench, undo: UndoStack): Promise<Set> {
  const stage = await Stage.open(await openHere(undo), app, bench);
  undo.push(() => stage.close());
  // Its processes are asked directly, too.
  await stage.change({ isolation: "off" });
  const source = createdEnvironmentSchema.parse(await stage.ramet("init"));
  const launch = { folder: stage.app, environment: stage.environment };
  const dev = await serve({ file: bench.launcher, args: ["dev"], ...launch }, "SIGTERM");
  undo.push(() => dev.stop());
  await untilOk(addressOf(source.url), bench.signal);
  return { stage, source, bench };
}

/** In turn by the URL and on the process's own port. */
async function measureReload(set: Set, edit: Edit): Promise<readonly string[]> {
  const { source, bench } = set;
  const series = new Series();
  const port = source.processes.find(({ name }) => name === edit.process)?.port;
  if (typeof port !== "number") throw new Error(`${edit.process} has no port.`);
  const ways = { url: addressOf(source.url, edit.path), direct: directAddress(port, edit.path) };
  for (let round = 0; round < bench.rounds; round += 1)
    for (const [way, address] of Object.entries(ways))
      series.add(way, await measureEdit(set, { ...edit, address }, `${way}${round}`));
  return toRow(edit, series, ["direct", "the same edit, the process asked directly"]);
}

/** In turn with the process by itself, from its start to its answer. */
async function measureRestart(set: Set): Promise<readonly string[]> {
  const { source, bench } = set;
  const series = new Series();
  const address = addressOf(source.url, RESTARTED.path);
  for (let round = 0; round < bench.rounds; round += 1) {
    series.add("url", await measureEdit(set, { ...RESTARTED, address }, `edit${round}`));
    series.add("start", await measureStart(set));
  }
  return toRow(RESTARTED, series, ["start", "the process started by hand until it answers"]);
}

async function measureEdit(
  { stage, bench }: Set,
  edit: Edit & { readonly address: Address },
  mark: string,
): Promise<number> {
  const file = path.join(stage.app, edit.file);
  const original = await readFile(file, "utf8");
  const edited = original.replace(edit.before, edit.after(mark));
  if (edited === original) throw new Error(`${edit.file} has no ${edit.before}.`);
  await sleep(BETWEEN_EDITS_MS, bench.signal);
  const { ms } = await time(async () => {
    await writeFile(file, edited);
    await untilText(edit.address, (text) => text.includes(mark), bench.signal);
  });
  await sleep(BETWEEN_EDITS_MS, bench.signal);
  await writeFile(file, original);
  await untilText(edit.address, (text) => !text.includes(mark), bench.signal);
  return ms;
}

async function measureStart({ stage, source, bench }: Set): Promise<number> {
  const port = await findFreePort();
  const environment = {
    ...stage.environment,
    HOST: "127.0.0.1",
    PORT: String(port),
    DATABASE_URL: requireDatabase(source),
  };
  return withUndo(async (undo) => {
    const { ms } = await time(async () => {
      const launch = { file: "node", args: ["server.mjs"], folder: stage.app, environment };
      const service = await serve(launch, "SIGKILL");
      undo.push(() => service.stop());
      await untilOk(directAddress(port), bench.signal);
    });
    return ms;
  });
}

function toRow(
  { what }: Edit,
  series: Series,
  [floor, meaning]: readonly [name: string, meaning: string],
): readonly string[] {
  const [url, beside] = [series.of("url"), series.of(floor)];
  return [
    what,
    formatFigures(url),
    formatFigures(beside),
    meaning,
    formatRatio(ratioOf(url, beside)),
  ];
}
