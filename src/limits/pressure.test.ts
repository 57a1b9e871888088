import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { ControlGroups } from "./control-groups.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-groups-"));
  await mkdir(path.join(folder, "one"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function write(what: string, percent: string): Promise<void> {
  const text = `some avg10=${percent} avg60=0.00 avg300=0.00 total=0\nfull avg10=9.00 avg60=0.00\n`;
  await writeFile(path.join(folder, "one", `${what}.pressure`), text);
}

test("how long a group's processes wait is read where each has its own account", async () => {
  const groups = new ControlGroups({
    kind: "v2",
    folders: new Map([["cpu", folder]]),
    accounts: null,
  });
  expect(await groups.readPressure("one")).toBeNull();
  await write("cpu", "12.50");
  await write("memory", "0.00");
  await write("io", "100.00");
  expect(await groups.readPressure("one")).toEqual({ cpu: 0.125, memory: 0, io: 1 });
  const older = new ControlGroups({
    kind: "v1",
    folders: new Map([["cpu", folder]]),
    accounts: null,
  });
  expect(await older.readPressure("one")).toBeNull();
});

test("what is empty is removed, what somebody is in stays", async () => {
  const own = path.join(folder, "ramet", "home");
  await mkdir(path.join(own, "empty"), { recursive: true });
  await mkdir(path.join(own, "busy", "below"), { recursive: true });
  const groups = new ControlGroups({
    kind: "v2",
    folders: new Map([["cpu", own]]),
    accounts: null,
  });
  await groups.clear();
  expect(groups.folders("busy")).toEqual([path.join(own, "busy")]);
  await rm(path.join(own, "busy", "below"), { recursive: true });
  await groups.clear();
  await expect(rm(path.join(folder, "ramet"))).rejects.toMatchObject({ code: "ENOENT" });
});
