import { rm } from "node:fs/promises";

import { sleep } from "../../src/base/clock.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import { formatFigures, Series } from "../kit/figures.ts";
import { openWayIn } from "../kit/inside.ts";
import { joinReports } from "../kit/report.ts";
import type { Report } from "../kit/report.ts";
import type { Scene } from "../kit/scene.ts";
import { Writer } from "../kit/writer.ts";

const HEADER = [
  "file system",
  "app",
  "database",
  "way",
  "stall without a fork",
  "stall during cp -a",
  "stall during a fork",
  "statements",
  "failed",
];
const PAUSE_MS = 2;
/** About as long as a fork takes. */
const CALM_MS = 1_500;

/** The longest that a writer of the source waited for one statement: in peace, beside a plain copy, beside a fork. */
export async function measureSource(scene: Scene): Promise<Report> {
  const wayIn = await openWayIn(await readPid(scene), scene.stage.folder);
  try {
    const own = await measureOwnWay(scene, wayIn.url);
    return joinReports([own, await measureWay(scene, "the server's gateway", scene.writer)]);
  } finally {
    await wayIn.close();
  }
}

async function measureOwnWay(scene: Scene, url: string): Promise<Report> {
  const inside = await Writer.open(url);
  try {
    return await measureWay(scene, "the app's own", inside);
  } finally {
    await inside.close();
  }
}

/** Of the app's first process: it reaches its database without the server. */
async function readPid({ stage, source }: Scene): Promise<number> {
  const { processes } = environmentSchema.parse(await stage.ramet("env", "show", source.name));
  const pid = processes[0]?.pid;
  if (typeof pid !== "number") throw new Error("The app has no process.");
  return pid;
}

async function measureWay(scene: Scene, way: string, writer: Writer): Promise<Report> {
  const series = new Series();
  let [statements, failed] = [0, 0];
  for (let round = 0; round < scene.bench.rounds; round += 1) {
    const calm = await writer.watch(PAUSE_MS, () => sleep(CALM_MS, scene.bench.signal));
    const copying = await writer.watch(PAUSE_MS, () => copyFolder(scene));
    const busy = await writer.watch(PAUSE_MS, () => scene.stage.create("fork"));
    await scene.stage.delete("fork");
    series.add("calm", calm.longestMs);
    series.add("copying", copying.longestMs);
    series.add("busy", busy.longestMs);
    statements += busy.statements;
    failed += busy.failed;
  }
  const stalls = ["calm", "copying", "busy"].map((name) => formatFigures(series.of(name)));
  const what = `statements of the source that failed (${scene.label.join(", ")}, ${way})`;
  return {
    rows: [HEADER, [...scene.label, way, ...stalls, String(statements), String(failed)]],
    goals: [{ what, measured: failed, limit: 0, unit: "statements", sense: "at most" }],
    remarks: [],
  };
}

/** As much written to the same disk as a fork writes. */
async function copyFolder({ stage, resting }: Scene): Promise<void> {
  const copy = `${resting.folder}-copy`;
  await stage.run("cp", "-a", "--reflink=auto", resting.folder, copy);
  await stage.run("sync", "-f", copy);
  await rm(copy, { recursive: true });
}
