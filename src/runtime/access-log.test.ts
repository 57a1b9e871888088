import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { type Access, openAccessLog, readLog } from "./runtime.ts";

const ACCESS: Access = {
  method: "GET",
  path: "/a",
  host: "shop--x.localhost:7420",
  protocol: "HTTP/1.1",
  status: 200,
  ms: 12.3,
};

let folder: string;
let ms = 0;
const clock = { now: () => (ms += 1) };

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-access-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test("requests are lines of a log like any other: by level, by pattern, in their order", async () => {
  const logs = path.join(folder, "access");
  const log = openAccessLog(logs, clock);
  for (const status of [200, 404, 502]) log.note({ ...ACCESS, status, path: `/${status}` });
  await log.close();
  const all = await readLog(logs, { process: null, last: 10 });
  expect(all).toMatchObject([
    { process: "gateway", level: "info", message: "GET /200", fields: { status: 200, ms: 12 } },
    { level: "warn", message: "GET /404" },
    { level: "error", message: "GET /502" },
  ]);
  expect(await readLog(logs, { process: null, last: 10, level: "error" })).toHaveLength(1);
});

test("what is noted is written soon, also when nobody closes the log", async () => {
  const logs = path.join(folder, "access");
  const log = openAccessLog(logs, clock);
  log.note(ACCESS);
  const written = await waitFor(async () => (await readLog(logs, { process: null, last: 1 }))[0], {
    timeoutMs: 5000,
  });
  expect(written).toMatchObject({ message: "GET /a" });
  await log.close();
});

test("what is noted while others are written is written too, also when nothing follows", async () => {
  const logs = path.join(folder, "access");
  const log = openAccessLog(logs, clock);
  log.note(ACCESS);
  // The file is made first, its lines follow.
  while (!existsSync(path.join(logs, "gateway.jsonl"))) await nextTurn();
  log.note({ ...ACCESS, path: "/b" });
  const read = async (): Promise<readonly string[]> =>
    (await readLog(logs, { process: null, last: 3 })).map(({ message }) => message);
  await expect.poll(read, { timeout: 5000 }).toEqual(["GET /a", "GET /b"]);
  await log.close();
});

test("an environment that is gone gets no folder again", async () => {
  const gone = path.join(folder, "gone");
  await mkdir(gone);
  const log = openAccessLog(path.join(gone, "access"), clock);
  log.note(ACCESS);
  await rm(gone, { recursive: true });
  await log.close();
  log.note(ACCESS);
  expect(await readdir(folder)).toEqual([]);
});
