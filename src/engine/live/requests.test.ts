import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { systemClock } from "../../base/clock.ts";
import { readLog } from "../../runtime/runtime.ts";
import { Requests } from "./requests.ts";

const PROBLEM = { code: "host_blocked", message: "It refuses.", remedy: "Let it not." };

let folder: string;
let requests: Requests;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-requests-"));
  requests = new Requests(path.join(folder, "access"), systemClock);
});
afterEach(async () => {
  await requests.close();
  await rm(folder, { recursive: true });
});

test("what an answer shows to be wrong is told until the same process gives a good one", () => {
  requests.report("web", PROBLEM);
  requests.report("web", PROBLEM);
  expect(requests.problems()).toEqual([PROBLEM]);
  requests.report("api", null);
  expect(requests.problems()).toEqual([PROBLEM]);
  requests.report("web", null);
  expect(requests.problems()).toEqual([]);
});

test("what was noted before it is closed is in its log", async () => {
  const access = { method: "GET", path: "/", host: "h", protocol: "HTTP/1.1", status: 200, ms: 1 };
  requests.note(access);
  await requests.close();
  expect(await readLog(requests.logs, { process: null, last: 5 })).toHaveLength(1);
});
