import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { afterEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { type ControlGroups, describeHolding, openControlGroups } from "./limits.ts";

const LIMITS = { memoryBytes: 128e6, cpus: 0.5, processes: 40, diskBytes: null };
const NONE = "This machine gives us no control groups.";
const home = `test${randomBytes(4).toString("hex")}`;
let groups: ControlGroups | null = null;
let child: ReturnType<typeof spawn> | undefined;

afterEach(async () => {
  child?.kill("SIGKILL");
  if (child?.exitCode === null && child.signalCode === null) await once(child, "exit");
  await groups?.remove("one");
  await groups?.clear();
});

/** Waits for a line, becomes a member of the group meanwhile, and runs what it is told. */
function startWaiting(command: string): NonNullable<typeof child> {
  return spawn("/bin/sh", ["-c", `read line; ${command}`], { stdio: ["pipe", "ignore", "ignore"] });
}

test("control groups bound who is in them and whom he starts", async ({ skip }) => {
  const opened = await openControlGroups(home);
  groups = opened;
  expect(describeHolding(opened)).toContain("by a look every second");
  if (opened?.controllers.has("pids") !== true) {
    skip(NONE);
    return;
  }
  await opened.set("one", LIMITS);
  child = startWaiting("for i in $(seq 80); do sleep 60 & done; wait");
  await opened.put("one", child.pid ?? 0);
  child.stdin?.end("\n");
  const refused = async (): Promise<true | undefined> =>
    (await opened.readEvents("one")).refusals > 0 || undefined;
  expect(await waitFor(refused, { timeoutMs: 20_000 })).toBe(true);
  const members = await opened.seal("one");
  expect(members.length).toBeGreaterThan(1);
  expect(members.length).toBeLessThanOrEqual(LIMITS.processes);
  for (const pid of members) process.kill(pid, "SIGKILL");
  await opened.remove("one");
  expect(await opened.seal("one").catch(() => [])).toEqual([]);
});

test("what wants more memory than its group has is ended, and counted", async ({ skip }) => {
  const opened = await openControlGroups(home);
  groups = opened;
  if (opened?.controllers.has("memory") !== true) {
    skip(NONE);
    return;
  }
  await opened.set("one", LIMITS);
  child = startWaiting("exec head -c 400000000 /dev/zero | tail -c 400000000");
  await opened.put("one", child.pid ?? 0);
  child.stdin?.end("\n");
  const killed = async (): Promise<true | undefined> =>
    (await opened.readEvents("one")).kills > 0 || undefined;
  expect(await waitFor(killed, { timeoutMs: 20_000 })).toBe(true);
});

test("others go before who yields, until he does no more", async ({ skip }) => {
  const opened = await openControlGroups(home);
  groups = opened;
  if (opened?.controllers.has("cpu") !== true) {
    skip(NONE);
    return;
  }
  await opened.set("one", LIMITS);
  const [file] = opened
    .folders("one")
    .map((folder) => `${folder}/cpu.idle`)
    .filter(existsSync);
  if (file === undefined) {
    skip("This kernel has no idle groups.");
    return;
  }
  for (const [yields, said] of [
    [true, "1"],
    [false, "0"],
  ] as const) {
    await opened.letYield("one", yields);
    expect((await readFile(file, "utf8")).trim()).toBe(said);
  }
  await opened.remove("one");
  await expect(opened.letYield("one", true)).resolves.toBeUndefined();
});

test("nothing of a home is left among the control groups once it is cleared", async () => {
  groups = await openControlGroups(home);
  await groups?.set("one", LIMITS);
  await groups?.clear();
  const mounts = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  const points = mounts
    .split("\n")
    .filter((line) => line.includes(" - cgroup"))
    .map((line) => line.split(" ")[4] ?? "");
  expect(points.filter((point) => readdirSync(point).some((name) => name.includes(home)))).toEqual(
    [],
  );
});
