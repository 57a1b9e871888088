import { readFile } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";
import { text } from "node:stream/consumers";

import { waitFor } from "../../src/base/clock.ts";
import { exists } from "../../src/base/remove-inside.ts";
import { MARK_VARIABLE } from "../../src/environment/places.ts";
import { findMarked } from "../../src/process/process.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../src/protocol/headers.ts";
import { findHome } from "../../src/protocol/home.ts";
import { formatFigures, median, Series, time } from "../kit/figures.ts";
import type { Report } from "../kit/report.ts";
import type { Scene } from "../kit/scene.ts";
import type { Stage } from "../kit/stage.ts";

const HEADER = [
  "file system",
  "app",
  "database",
  "answers",
  "nothing is left",
  "the server's answer alone",
  "ramet --version",
  "node -e 0",
];
const GONE_LIMIT_MS = 60_000;

/**
 * `env delete` as a whole process, of a fork that is awake, and until its folders, sockets and processes are gone. In turn
 * with what it is made of: the server asked without a command, a command that asks nobody, a Node that does nothing.
 */
export async function measureDelete(scene: Scene): Promise<Report> {
  const series = new Series();
  for (let round = 0; round < scene.bench.rounds; round += 1) {
    await deleteOne(scene, series);
    await askServerOnly(scene, series);
    await startOnly(scene, series);
  }
  const columns = ["answers", "gone", "server", "version", "node"].map((name) => series.of(name));
  const what = `delete answers (${scene.label.join(", ")})`;
  const measured = median(series.of("answers"));
  return {
    rows: [HEADER, [...scene.label, ...columns.map((figures) => formatFigures(figures))]],
    goals: [{ what, measured, limit: 100, unit: "ms", sense: "at most" }],
    remarks: [],
  };
}

async function deleteOne({ stage, bench }: Scene, series: Series): Promise<void> {
  const { id, name } = await stage.create("fork");
  const isGone = await watchLeftovers(stage, id);
  await stage.run("sync");
  const began = performance.now();
  await stage.delete(name);
  series.add("answers", performance.now() - began);
  const limits = { timeoutMs: GONE_LIMIT_MS, everyMs: 5, signal: bench.signal };
  if ((await waitFor(isGone, limits)) === undefined) throw new Error(`Something of ${id} is left.`);
  series.add("gone", performance.now() - began);
}

async function askServerOnly({ stage, bench, source }: Scene, series: Series): Promise<void> {
  const { id, name } = await stage.create("fork");
  const isGone = await watchLeftovers(stage, id);
  await stage.run("sync");
  const { ms } = await time(() =>
    call(stage, "environment.delete", { app: source.app, environment: name }),
  );
  series.add("server", ms);
  await waitFor(isGone, { timeoutMs: GONE_LIMIT_MS, everyMs: 5, signal: bench.signal });
}

async function startOnly({ stage, bench }: Scene, series: Series): Promise<void> {
  series.add("version", (await time(() => stage.run(bench.launcher, "--version"))).ms);
  series.add("node", (await time(() => stage.run(process.execPath, "-e", "0"))).ms);
}

/** `true` once nothing of it is there. */
async function watchLeftovers(stage: Stage, id: string): Promise<() => Promise<true | undefined>> {
  const mark = `${await stage.readHomeId()}.${id}`;
  const sockets = path.join(stage.home, "run", id.slice(0, 8));
  const folders = [path.join(stage.home, "data", id), sockets, `${sockets}k`];
  return async () => {
    const left = await Promise.all(folders.map(exists));
    return left.includes(true) || (await findMarked(MARK_VARIABLE, mark)).length > 0
      ? undefined
      : true;
  };
}

/** Asks as the command does, without a process of its own. */
async function call(stage: Stage, name: string, input: unknown): Promise<void> {
  const surroundings = { environment: stage.environment, userHome: stage.folder };
  const home = findHome({ ...surroundings, uid: process.getuid?.() ?? null });
  const sent = request({
    socketPath: home.socket,
    path: `/calls/${name}`,
    method: "POST",
    agent: false,
    headers: {
      host: "ramet",
      "content-type": "application/json",
      [TOKEN_HEADER]: (await readFile(home.token, "utf8")).trim(),
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  sent.on("response", (response) => void text(response).then(resolve, reject));
  sent.on("error", reject);
  sent.end(JSON.stringify(input));
  const answer = await promise;
  if (!answer.includes('"result"')) throw new Error(`The server refused ${name}: ${answer}`);
}
