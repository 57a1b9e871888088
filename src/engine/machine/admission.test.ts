import { afterAll, beforeAll, expect, test } from "vitest";

import type { LiveEnvironment } from "../live/live-environment.ts";
import { runs, TestEngine, until } from "../test-engine.ts";
import { Admission, type Resting } from "./admission.ts";

const MINUTE_MS = 60_000;
const PLENTY = { totalBytes: 16e9, availableBytes: 8e9, stalled: 0 };
const SHORT = { ...PLENTY, availableBytes: 1e8 };

/** Who is asked to make room, and does so or not. */
class Room implements Resting {
  readonly usage: Resting["usage"];
  readonly #may: boolean;
  #isUp = true;
  asked = 0;

  constructor(idleMs: number, may = true) {
    this.usage = { idleMs: () => idleMs };
    this.#may = may;
  }

  isUp(): boolean {
    return this.#isUp;
  }

  async makeRoom(): Promise<boolean> {
    this.asked += 1;
    this.#isUp = !this.#may;
    return this.#may;
  }
}

test("room is made by one at a time, the longest idle first, and by none where there is enough", async () => {
  let now = SHORT;
  const admission = new Admission(async () => now);
  const rooms = [new Room(30_000), new Room(90_000), new Room(60_000)];
  admission.among(() => rooms);
  expect(await admission.look()).toBe(false);
  expect(rooms.map(({ asked }) => asked)).toEqual([0, 1, 0]);
  await admission.look();
  expect(rooms.map(({ asked }) => asked)).toEqual([0, 1, 1]);
  now = PLENTY;
  expect(await admission.look()).toBe(true);
  expect(rooms.map(({ asked }) => asked)).toEqual([0, 1, 1]);
});

test("who may not rest is passed over, and whoever is next makes room", async () => {
  const admission = new Admission(async () => SHORT);
  const rooms = [new Room(30_000), new Room(90_000, false)];
  admission.among(() => rooms);
  await admission.look();
  expect(rooms.map(({ asked }) => asked)).toEqual([1, 1]);
});

test("whoever wants in waits until room was made for it", async () => {
  let isShort = true;
  const admission = new Admission(async () => (isShort ? SHORT : PLENTY), 10_000);
  const room = new Room(90_000);
  admission.among(() => {
    isShort = room.asked === 0;
    return [room];
  });
  await admission.enter("agent");
  expect(room.asked).toBe(1);
});

test("where the machine does not tell its memory everybody comes in", async () => {
  const admission = new Admission(async () => null, 0);
  await admission.enter("agent");
  expect(await admission.look()).toBe(true);
});

let memory = PLENTY;
let stage: TestEngine;
let longest: LiveEnvironment;
let lately: LiveEnvironment;
let attended: LiveEnvironment;

beforeAll(async () => {
  stage = await TestEngine.open();
  await stage.reopen({ admission: new Admission(async () => memory, 1_000) });
  const web = { command: runs("serves.mjs") };
  const manifest = { processes: { web }, database: false, sleep: "15m" };
  longest = await stage.createApp("longest", manifest);
  stage.pass(MINUTE_MS);
  lately = await stage.createApp("lately", manifest);
  attended = await stage.createApp("attended", manifest);
}, 60_000);
afterAll(async () => stage.close());

test("with memory short the longest idle goes to rest first, and who is needed never", async () => {
  const leave = attended.usage.occupy();
  stage.pass(MINUTE_MS);
  memory = SHORT;
  await until(() => (longest.state() === "asleep" ? true : undefined));
  expect(stage.log.find((line) => line.includes("memory is short"))).toContain("longest");
  await until(() => (lately.state() === "asleep" ? true : undefined));
  await stage.engine.uses.look();
  expect(attended.state()).toBe("awake");
  leave();
});

test("a wake that cannot be had waits, then says why; and is had as soon as there is memory", async () => {
  memory = SHORT;
  await expect(longest.wake()).rejects.toMatchObject({
    code: "memory_short",
    message: expect.stringContaining("100 MB of the machine's memory are free"),
  });
  expect(longest.problems()).toMatchObject([{ code: "memory_short" }]);

  const waking = longest.wake();
  await until(() => longest.isWaking() || undefined);
  memory = PLENTY;
  await waking;
  expect(longest.state()).toBe("awake");
  expect(longest.problems()).toEqual([]);
});

test("who was used just now is not put to rest for another", async () => {
  memory = PLENTY;
  await longest.wake();
  memory = SHORT;
  await stage.engine.uses.look();
  expect(longest.state()).toBe("awake");
  memory = PLENTY;
});
