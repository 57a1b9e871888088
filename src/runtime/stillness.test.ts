import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import { Stillness } from "./stillness.ts";

const mark = `still${randomBytes(4).toString("hex")}.x.runtime`;
let child: ReturnType<typeof spawn>;
let changes: boolean[];
let stillness: Stillness;

beforeEach(async () => {
  const env = { ...process.env, [MARK_VARIABLE]: mark };
  child = spawn("sleep", ["1000"], { env, detached: true, stdio: "ignore" });
  await once(child, "spawn");
  changes = [];
  stillness = new Stillness(mark, () => changes.push(stillness.isStill()));
});
afterEach(async () => {
  child.kill("SIGKILL");
  await once(child, "exit");
});

function stateOf(pid = child.pid ?? 0): string {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.charAt(text.lastIndexOf(")") + 2);
}

const isLinux = process.platform === "linux";

test.skipIf(!isLinux)(
  "what is held still runs on as soon as somebody needs it, and each is told",
  async () => {
    await stillness.begin();
    expect([stillness.isStill(), stateOf()]).toEqual([true, "T"]);
    await stillness.begin();
    expect(changes).toEqual([true]);

    stillness.stir();
    expect(stillness.isStill()).toBe(false);
    expect(await waitFor(() => stateOf() !== "T" || undefined, { timeoutMs: 10_000 })).toBe(true);
    expect(changes).toEqual([true, false]);
  },
);

test.skipIf(!isLinux)("who was needed just now is not held still", async () => {
  stillness.stir();
  await stillness.begin();
  expect([stillness.isStill(), stateOf() === "T"]).toEqual([false, false]);
  expect(changes).toEqual([]);
});

test.skipIf(!isLinux)("who is needed while it is being held still runs on", async () => {
  const beginning = stillness.begin();
  stillness.stir();
  await beginning;
  expect(stillness.isStill()).toBe(false);
  expect(await waitFor(() => stateOf() !== "T" || undefined, { timeoutMs: 10_000 })).toBe(true);
});
