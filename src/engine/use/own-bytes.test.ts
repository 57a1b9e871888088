import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test, vi } from "vitest";

import type { LiveEnvironment } from "../live/live-environment.ts";
import { contextOf, runs, TestEngine, until } from "../test-engine.ts";
import { OwnBytes } from "./own-bytes.ts";

let stage: TestEngine;
let live: LiveEnvironment;
const log: string[] = [];

beforeAll(async () => {
  stage = await TestEngine.open();
  live = await stage.createApp("shop", {
    processes: { web: { command: runs("serves.mjs") } },
    database: false,
  });
  const folder = stage.layout.folder(live.record.id);
  await writeFile(path.join(folder, "large"), Buffer.alloc(8 * 1024 * 1024, "x"));
});
afterAll(async () => stage.close());

test("whoever asks first is not kept waiting, and the next is told", async () => {
  const own = new OwnBytes(contextOf(stage.layout, log));
  expect(own.recall(live)).toBe(null);
  const bytes = await until(() => own.recall(live) ?? undefined);
  expect(bytes).toBeGreaterThan(8 * 1024 * 1024);
  expect(bytes).toBeLessThan(40 * 1024 * 1024);
});

test("who can wait is told at once, and asks nothing twice", async () => {
  const own = new OwnBytes(contextOf(stage.layout, log));
  await own.find(live, { timeoutMs: 20_000 });
  const bytes = own.recall(live);
  expect(bytes).toBeGreaterThan(8 * 1024 * 1024);
  await own.find(live, { timeoutMs: 0 });
  expect(own.recall(live)).toBe(bytes);
});

test("what was deleted meanwhile has no figure, and the others have theirs", async () => {
  const own = new OwnBytes(contextOf(stage.layout, log));
  const other = await stage.fork("shop", "other");
  await stage.engine.delete(other);
  await until(async () => ((await stage.marked(other.record.id)).length === 0 ? true : undefined));
  await until(async () => ((await stage.engine.leftovers()).length === 0 ? true : undefined));
  expect([own.recall(other), own.recall(live)]).toEqual([null, null]);
  await until(() => own.recall(live) ?? undefined);
  expect(own.recall(other)).toBe(null);
  await own.settled();
});

test("one that has slept all the while is not measured again before two minutes", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const own = new OwnBytes(contextOf(stage.layout, log));
    const other = await stage.fork("shop", "sleeper");
    await other.sleep();
    const bytes = await until(() => own.recall(other) ?? undefined);
    const added = 4 * 1024 * 1024;
    await writeFile(
      path.join(stage.layout.folder(other.record.id), "added"),
      Buffer.alloc(added, "y"),
    );
    vi.advanceTimersByTime(60_000);
    own.recall(other);
    await own.settled();
    expect(own.recall(other)).toBe(bytes);

    vi.advanceTimersByTime(61_000);
    own.recall(other);
    await own.settled();
    expect(own.recall(other)).toBeGreaterThanOrEqual((bytes ?? 0) + added);
  } finally {
    vi.useRealTimers();
  }
});
