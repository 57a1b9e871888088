import path from "node:path";

import { waitFor } from "../../src/base/clock.ts";
import { exists } from "../../src/base/remove-inside.ts";
import { MARK_VARIABLE } from "../../src/environment/places.ts";
import { findMarked } from "../../src/process/process.ts";
import { formatFigures, median, Series } from "../kit/figures.ts";
import type { Report } from "../kit/report.ts";
import type { Scene } from "../kit/scene.ts";

const HEADER = ["file system", "app", "database", "answers", "nothing is left"];
const GONE_LIMIT_MS = 60_000;

/** `env delete` as a whole process, of a fork that is awake, and until its folders, sockets and processes are gone. */
export async function measureDelete(scene: Scene): Promise<Report> {
  const series = new Series();
  for (let round = 0; round < scene.bench.rounds; round += 1) await deleteOne(scene, series);
  const [answers, gone] = [series.of("answers"), series.of("gone")];
  const what = `delete answers (${scene.label.join(", ")})`;
  const measured = median(answers);
  return {
    rows: [HEADER, [...scene.label, formatFigures(answers), formatFigures(gone)]],
    goals: [{ what, measured, limit: 100, unit: "ms", sense: "at most" }],
    remarks: [],
  };
}

async function deleteOne({ stage, bench }: Scene, series: Series): Promise<void> {
  const { id, name } = await stage.create("fork");
  const mark = `${await stage.readHomeId()}.${id}`;
  const sockets = path.join(stage.home, "run", id.slice(0, 8));
  const folders = [path.join(stage.home, "data", id), sockets, `${sockets}k`];
  await stage.run("sync");
  const began = performance.now();
  await stage.delete(name);
  series.add("answers", performance.now() - began);
  const isGone = async (): Promise<true | undefined> => {
    const left = await Promise.all(folders.map(exists));
    return left.includes(true) || (await findMarked(MARK_VARIABLE, mark)).length > 0
      ? undefined
      : true;
  };
  const limits = { timeoutMs: GONE_LIMIT_MS, everyMs: 5, signal: bench.signal };
  if ((await waitFor(isGone, limits)) === undefined) throw new Error(`Something of ${id} is left.`);
  series.add("gone", performance.now() - began);
}
