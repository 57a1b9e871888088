import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { holdStill, letRun } from "./holding-still.ts";
import { IS_LINUX } from "./process-table.ts";

const VARIABLE = "RAMET_TEST_MARK";
const mark = `still${randomBytes(4).toString("hex")}`;
let child: ReturnType<typeof spawn>;
let printed = "";

beforeEach(async () => {
  printed = "";
  // A parent that starts children without end, one of whom has thrown his mark away.
  const command =
    "env -i sh -c 'while :; do sleep 0.01; done' & while :; do echo on; sleep 0.01; done";
  const env = { ...process.env, [VARIABLE]: mark };
  child = spawn("/bin/sh", ["-c", command], {
    env,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  child.stdout?.on("data", (text: Buffer) => {
    printed += text.toString();
  });
  await waitFor(() => printed.length > 0 || undefined, { timeoutMs: 20_000 });
});
afterEach(async () => {
  if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  await once(child, "exit");
});

function stateOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
}

test("a family that starts others without end stands still as a whole, and runs on", async ({
  skip,
}) => {
  if (!IS_LINUX) skip("There is no /proc.");
  const held = await holdStill(VARIABLE, mark);
  expect(held.length).toBeGreaterThanOrEqual(2);
  expect(held[0]).toBe(child.pid);
  // D: a parent that waits within the kernel until its child has become another program.
  expect(held.map(stateOf).filter((state) => !"TD".includes(state))).toEqual([]);
  // Nobody is born meanwhile: a second look finds the same.
  expect(await holdStill(VARIABLE, mark)).toEqual(held);

  const before = printed.length;
  letRun(held);
  const goesOn = (): true | undefined => printed.length > before + 10 || undefined;
  expect(await waitFor(goesOn, { timeoutMs: 20_000 })).toBe(true);
});

test("where nobody bears the mark nothing is held", async () => {
  expect(await holdStill(VARIABLE, `${mark}.other`)).toEqual([]);
});
