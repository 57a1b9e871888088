import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
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
    places: new Map([["cpu", `${folder}/`]]),
    accounts: null,
  });
  expect(await groups.readPressure("one")).toBeNull();
  await write("cpu", "12.50");
  await write("memory", "0.00");
  await write("io", "100.00");
  expect(await groups.readPressure("one")).toEqual({ cpu: 0.125, memory: 0, io: 1 });
  const older = new ControlGroups({
    kind: "v1",
    places: new Map([["cpu", `${folder}/`]]),
    accounts: null,
  });
  expect(await older.readPressure("one")).toBeNull();
});

test("what is empty of a home's is removed; what somebody is in stays, and what is another's", async () => {
  for (const name of ["ramet.home.empty", "ramet.home.busy/below", "ramet.other.empty"])
    await mkdir(path.join(folder, name), { recursive: true });
  const places = new Map([["cpu", path.join(folder, "ramet.home.")] as const]);
  const groups = new ControlGroups({ kind: "v2", places, accounts: null });
  await groups.clear();
  expect(groups.folders("busy")).toEqual([path.join(folder, "ramet.home.busy")]);
  const left = await readdir(folder);
  expect(left.toSorted()).toEqual(["one", "ramet.home.busy", "ramet.other.empty"]);
});
