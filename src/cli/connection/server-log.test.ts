import { appendFile, mkdir, truncate } from "node:fs/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import type { Home } from "../../protocol/home.ts";
import { captureContext, createFolder, removeFolder } from "../fixtures/context.ts";
import { followServerLog, readServerLog, sizeOfLog } from "./server-log.ts";

let folder: string;
let home: Home;

beforeEach(async () => {
  folder = await createFolder();
  home = captureContext(folder).home;
  await mkdir(home.folder);
});

afterEach(() => removeFolder(folder));

test("a log that is not there has no lines", async () => {
  expect(await readServerLog(home, { last: 10 })).toEqual([]);
  expect(await sizeOfLog(home)).toBe(0);
});

test("the last lines are those between two places", async () => {
  await appendFile(home.serverLog, "one\ntwo\nthree\n");
  expect(await readServerLog(home, { last: 2 })).toEqual(["two", "three"]);
  expect(await readServerLog(home, { last: 9, from: 4 })).toEqual(["two", "three"]);
  expect(await readServerLog(home, { last: 9, to: 7 })).toEqual(["one", "two"]);
  expect(await readServerLog(home, { last: 0 })).toEqual([]);
});

test("what comes is shown by whole lines, also of a log that was begun anew", async () => {
  await appendFile(home.serverLog, "before\n");
  const controller = new AbortController();
  const lines: string[] = [];
  const following = followServerLog(home, await sizeOfLog(home), {
    print: (line) => lines.push(line),
    signal: controller.signal,
  });
  await appendFile(home.serverLog, "one\ntw");
  await expect.poll(() => lines).toEqual(["one"]);
  await appendFile(home.serverLog, "o\n");
  await expect.poll(() => lines).toEqual(["one", "two"]);
  await truncate(home.serverLog, 0);
  await appendFile(home.serverLog, "new\n");
  await expect.poll(() => lines).toEqual(["one", "two", "new"]);
  controller.abort();
  await following;
});
