/** People write on both sides, on real disks, while what keeps them the same is killed again and again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { sleep, waitFor } from "../../src/base/clock.ts";
import { compareSides } from "../../src/sync/sync.ts";
import { listAside } from "../sync/folders.ts";
import { RealPeople } from "../sync/real-people.ts";
import { randomOf, readPiece } from "./pieces.ts";

const { rounds, title } = readPiece("ROUNDS", 300);
const PROGRAM = path.join(import.meta.dirname, "../programs/keeps-same.ts");
const LATEST_MS = 400;
const START_LIMIT_MS = 30_000;
const REST_LIMIT_MS = 60_000;
/** On a machine with much else to do. */
const ROUND_LIMIT_MS = 10_000;

let root = "";
const folders = { local: "", remote: "", home: "" };
let people: RealPeople;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "ramet-sync-kills-"));
  Object.assign(folders, {
    local: path.join(root, "local"),
    remote: path.join(root, "remote"),
    home: path.join(root, "home"),
  });
  await Promise.all([mkdir(folders.local), mkdir(folders.remote)]);
  people = new RealPeople(folders);
});
afterAll(async () => rm(root, { recursive: true, force: true }));

test(
  `after ${rounds.length} kills no write is lost, and both sides are the same (${title})`,
  async () => {
    for (const round of rounds) {
      const random = randomOf(round);
      const program = await start();
      await people.workFor(random() * LATEST_MS, random);
      program.kill("SIGKILL");
      await once(program, "exit");
    }
    const last = await start();
    await waitFor(isAtRest, { timeoutMs: REST_LIMIT_MS, everyMs: 200 });
    last.kill("SIGKILL");
    await once(last, "exit");
    const { local, remote, conflicts } = await compareSides(folders);
    expect({ local, remote }).toEqual({ local: [], remote: [] });
    expect(people.findLost([folders.home])).toEqual([]);
    process.stderr.write(`${people.written.size} writes, ${conflicts.length} conflicts\n`);
  },
  START_LIMIT_MS + REST_LIMIT_MS + rounds.length * ROUND_LIMIT_MS,
);

async function start(): Promise<ChildProcess> {
  const { local, remote, home } = folders;
  const program = spawn(process.execPath, [PROGRAM, local, remote, home], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(program.stdout, "data", { signal: AbortSignal.timeout(START_LIMIT_MS) });
  program.stdout.resume();
  return program;
}

/** As it is seen from outside, without a word to what keeps them the same. */
async function isAtRest(): Promise<true | undefined> {
  const before = JSON.stringify(people.read());
  await sleep(500);
  const isQuiet = before === JSON.stringify(people.read());
  const aside = [path.join(folders.local, ".ramet"), folders.home].map(listAside);
  return isQuiet && (await Promise.all(aside)).flat().length === 0 ? true : undefined;
}
