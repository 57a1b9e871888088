import { rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { sleep } from "../../src/base/clock.ts";
import { startBareLoop } from "../kit/bare-loop.ts";
import {
  formatFigures,
  formatRatio,
  median,
  quantile,
  ratioOf,
  Series,
  time,
} from "../kit/figures.ts";
import { type Memory, readMemory } from "../kit/memory.ts";
import { run } from "../kit/program.ts";
import type { Goal, Report } from "../kit/report.ts";
import type { Bench } from "../kit/scene.ts";
import {
  emptyFolder,
  NotAcross,
  openPairing,
  type Pairing,
  startDev,
  untilSame,
  writeFiles,
} from "../kit/transfers.ts";
import { startWatchLoop } from "../kit/watch-loop.ts";
import { withUndo } from "../kit/with-undo.ts";

const EDITS = 300;
const QUICK_EDITS = 60;
/** Between two edits: nobody types faster, and a disk rests. */
const BETWEEN_EDITS_MS = 40;
const CHECKOUT = { count: 5_000, bytes: 2_000 } as const;
const LARGE = { count: 10_000, bytes: 20_000 } as const;
/** Files that were changed a moment ago are read again: a disk's clock may not show a second change. */
const AT_REST_MS = 3_000;
const LOOP = "loop";
const BARE = "bare";
const KB_PER_MB = 1_024;
const HEADER = ["what", "ms", "floor or peer", "ms of it", "beside it"];

/** From an edit, a checkout and a push until the environment's own files are the same. */
export async function measureSync(bench: Bench): Promise<Report> {
  return withUndo(async (undo) => {
    const pairing = await openPairing(bench, undo);
    const series = new Series();
    const dev = await startDev(pairing);
    undo.push(() => dev.stop());
    const server = await pairing.stage.readServerPid();
    const before = await readMemory(server);
    const bare = await startBareLoop(pairing, undo);
    await measureEdits({ edit: pairing, [BARE]: bare }, series);
    const after = await readMemory(server);
    await measureCheckouts(pairing, series);
    await dev.stop();
    const lost = await measureLoop(pairing, series);
    // Asleep: what a push starts again in an environment that is awake is no part of moving files.
    await pairing.ramet("env", "stop");
    await clearCheckouts(pairing);
    for (let round = 0; round < bench.rounds; round += 1)
      await measurePushes(pairing, series, round);
    return toReport(series, [
      describeSlowest(series),
      `The server's memory before these edits and after them: ${toMb(before)} and ${toMb(after)} MB (PSS).`,
      ...lost,
    ]);
  });
}

/** Whose time it is that the slowest of them take. */
function describeSlowest(series: Series): string {
  const [edit, bare] = ["edit", BARE].map((name) => describeSlowestOf(series, name));
  return `99 of 100 edits take ${edit}; of the loop by hand, in turn with them, ${bare}.`;
}

function describeSlowestOf(series: Series, name: string): string {
  const [whole, written] = [series.of(name), series.of(writtenIn(name))];
  const after = whole.map((ms, index) => ms - (written[index] ?? 0));
  const [slowest, alone, rest] = [whole, written, after].map((each) => quantile(each, 0.99));
  return `${slowest?.toFixed(1)} ms at most (the editor's own writing ${alone?.toFixed(1)}, all that comes after it ${rest?.toFixed(1)})`;
}

function toMb({ pss }: Memory): number {
  return Math.round(pss / KB_PER_MB);
}

/** Edits of each kind in turn with a copy of the same file, which is the least that must be done. */
async function measureEdits(
  kinds: Readonly<Record<string, Pairing>>,
  series: Series,
): Promise<void> {
  for (const edit of Array.from({ length: EDITS }).keys())
    for (const [name, pairing] of Object.entries(kinds)) {
      const { bench, clone, stage } = pairing;
      if (bench.isQuick && edit >= QUICK_EDITS) return;
      const text = `export const edited = ${edit};\n`.repeat(60);
      series.add(
        "copy",
        (await time(() => writeFile(path.join(stage.folder, "copy.ts"), text))).ms,
      );
      const written = await time(() => writeFile(path.join(clone, "edited.ts"), text));
      const seen = await time(() => untilSame(pairing, ["edited.ts"]));
      series.add(name, written.ms + seen.ms);
      series.add(writtenIn(name), written.ms);
      await sleep(BETWEEN_EDITS_MS, bench.signal);
    }
}

/** Of each edit, until the editor itself has written it: a disk may keep it waiting. */
function writtenIn(name: string): string {
  return `${name}, written`;
}

/** The same edits, with a watcher and a copy alone: it keeps nothing and looks at nothing else. @returns a note where it loses one */
async function measureLoop(pairing: Pairing, series: Series): Promise<readonly string[]> {
  return withUndo(async (undo) => {
    const to = await startWatchLoop(pairing, undo);
    if (to === undefined) return [];
    try {
      await measureEdits({ [LOOP]: { ...pairing, kept: to } }, series);
      return [];
    } catch (error) {
      // One that it lost does not come across however long we wait.
      if (!(error instanceof NotAcross)) throw error;
      const count = series.of(LOOP).length;
      return [`The loop around chokidar lost an edit: the ${count} before it are counted.`];
    }
  });
}

/** Back and forth between two branches; from the end of git's own work. */
async function measureCheckouts(pairing: Pairing, series: Series): Promise<void> {
  const { bench, clone, git } = pairing;
  const names = await writeFiles(clone, { ...CHECKOUT, mark: "one" });
  await git("add", "-A");
  await git("commit", "-qm", "One");
  await git("switch", "-qc", "two");
  await writeFiles(clone, { ...CHECKOUT, mark: "two" });
  await git("commit", "-qam", "Two");
  await untilSame(pairing, names);
  const back = (await git("rev-parse", "--abbrev-ref", "@{-1}")).trim();
  for (let round = 0; round < bench.rounds; round += 1) {
    const whole = performance.now();
    await git("switch", "-q", round % 2 === 0 ? back : "two");
    const began = performance.now();
    series.add("git", began - whole);
    await untilSame(pairing, names);
    series.add("checkout", performance.now() - began);
    await sleep(AT_REST_MS, bench.signal);
  }
}

/** So that what is pushed next is all there is, but for the app. */
async function clearCheckouts({ git, ramet }: Pairing): Promise<void> {
  await git("rm", "-rq", "folder-*");
  await git("commit", "-qm", "None");
  await ramet("push", "--force");
}

/** In turn with programs that have made two trees the same for decades, into an empty folder each time. */
async function measurePushes(pairing: Pairing, series: Series, round: number): Promise<void> {
  const { bench, clone, stage, ramet } = pairing;
  const source = path.join(clone, "large");
  await writeFiles(source, { ...LARGE, mark: String(round) });
  const tool = (file: string, ...args: readonly string[]): Promise<string> =>
    run({
      file,
      args,
      folder: stage.folder,
      environment: toolEnvironment(stage),
      signal: bench.signal,
    });
  const to = path.join(stage.folder, "peer");
  await tool("sync");
  series.add("push", (await time(() => ramet("push"))).ms);
  await emptyFolder(to);
  await tool("sync");
  series.add("rsync", (await time(() => tool("rsync", "-a", `${source}/`, `${to}/`))).ms);
  await emptyFolder(to);
  await rm(path.join(stage.folder, "unison"), { recursive: true, force: true });
  await tool("sync");
  const options = ["-batch", "-silent", "-perms", "0"];
  series.add("unison", (await time(() => tool("unison", source, to, ...options))).ms);
  await sleep(AT_REST_MS, bench.signal);
  await ramet("push");
  series.add("no change", (await time(() => ramet("push"))).ms);
  // Unison has left other times there.
  await tool("rsync", "-a", `${source}/`, `${to}/`);
  series.add(
    "rsync, no change",
    (await time(() => tool("rsync", "-a", `${source}/`, `${to}/`))).ms,
  );
  series.add("status", (await time(() => ramet("env", "list"))).ms);
  await rm(source, { recursive: true });
  await ramet("push", "--force");
}

function toolEnvironment(stage: Pairing["stage"]): Readonly<Record<string, string | undefined>> {
  return { ...stage.environment, UNISON: path.join(stage.folder, "unison") };
}

function toReport(series: Series, remarks: readonly string[]): Report {
  const row = (
    [what, name]: readonly [string, string],
    [peer, beside]: readonly [string, string],
  ): readonly string[] => [
    what,
    formatFigures(series.of(name), 1),
    peer,
    formatFigures(series.of(beside), 1),
    formatRatio(ratioOf(series.of(name), series.of(beside))),
  ];
  const EDIT = ["one edit, until it can be read there", "edit"] as const;
  const push = ["first push of 10,000 files, 200 MB", "push"] as const;
  return {
    rows: [
      HEADER,
      row(EDIT, ["the same file written", "copy"]),
      row(EDIT, ["the same steps by hand: event, 3 ms, read, write, rename", BARE]),
      row(EDIT, ["a loop around chokidar, which copies the file", LOOP]),
      row(["5,000 files after `git switch` has ended", "checkout"], ["`git switch` itself", "git"]),
      row(push, ["`rsync -a`", "rsync"]),
      row(push, ["`unison -batch`", "unison"]),
      row(["push of 10,000 files, none changed", "no change"], ["`ramet env list`", "status"]),
      row(["push of 10,000 files, none changed", "no change"], ["`rsync -a`", "rsync, no change"]),
    ],
    goals: listGoals(series),
    remarks,
  };
}

function listGoals(series: Series): readonly Goal[] {
  const edits = series.of("edit");
  const ms = { unit: "ms", sense: "at most" } as const;
  const [checkout, unchanged] = [series.of("checkout"), series.of("no change")];
  const beside = ratioOf(series.of("push"), series.of("rsync"));
  return [
    { what: "one edit, half of them", measured: median(edits), limit: 10, ...ms },
    { what: "one edit, 99 of 100", measured: quantile(edits, 0.99), limit: 30, ...ms },
    { what: "5,000 files of a checkout", measured: median(checkout), limit: 1_000, ...ms },
    { what: "first push beside rsync", measured: beside, limit: 1.5, unit: "×", sense: "at most" },
    { what: "push without a change", measured: median(unchanged), limit: 150, ...ms },
  ];
}
