import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put } from "../../../test/sync/folders.ts";
import { waitFor } from "../../base/clock.ts";
import { messageOf } from "../../base/problem.ts";
import { openServedTree } from "../sync.ts";
import type { ServedTree } from "../sync.ts";
import { FarWatch } from "./far-watch.ts";

let folders: Folders;
let served: ServedTree;

beforeEach(async () => {
  folders = await openFolders();
  served = openServedTree(folders.sides, "0123456789abcdef");
  await served.open();
});
afterEach(async () => {
  served.close();
  await folders.close();
});

async function comes(isSo: () => boolean): Promise<true | undefined> {
  return waitFor(async () => Promise.resolve(isSo() ? true : undefined), { timeoutMs: 10_000 });
}

async function lookAtAll(): Promise<void> {
  let reply = await served.look("all");
  while (reply.kind === "ask") reply = await served.answer([]);
}

function fail(error: unknown): never {
  throw error;
}

test("a change there is heard of here", async () => {
  await lookAtAll();
  let heard = 0;
  const watch = new FarWatch(async (seen, signal) => served.wait(seen, signal), {
    onEvent: () => (heard += 1),
    onUnheard: fail,
  });
  await put(folders.sides.remote, { "a.txt": "a\n" });
  expect(await comes(() => heard > 0)).toBe(true);
  watch.close();
});

test("a wait ends when its watch is closed, and none follows it", async () => {
  const signals: AbortSignal[] = [];
  let ended = 0;
  const wait = async (seen: number, signal: AbortSignal): Promise<number> => {
    signals.push(signal);
    const heard = await served.wait(seen, signal);
    ended += 1;
    return heard;
  };
  const watch = new FarWatch(wait, { onEvent: () => undefined, onUnheard: fail });
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  watch.close();
  expect(await comes(() => ended === 1)).toBe(true);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("a wait that fails is told of, so that somebody looks, and what comes afterwards is heard all the same", async () => {
  await lookAtAll();
  let questions = 0;
  let heard = 0;
  const wait = async (seen: number, signal: AbortSignal): Promise<number> => {
    questions += 1;
    if (questions === 1) throw new Error("Lost.");
    return served.wait(seen, signal);
  };
  const watch = new FarWatch(wait, { onEvent: () => (heard += 1), onUnheard: fail });
  expect(await comes(() => heard === 1)).toBe(true);
  await put(folders.sides.remote, { "a.txt": "a\n" });
  expect(await comes(() => heard > 1)).toBe(true);
  watch.close();
});

test("waits that fail again and again are told of, once, and somebody looks after each", async () => {
  const told: string[] = [];
  let looks = 0;
  const watch = new FarWatch(async () => fail(new Error("It has no such question.")), {
    onEvent: () => (looks += 1),
    onUnheard: (error) => told.push(messageOf(error)),
  });
  expect(await comes(() => looks > 3)).toBe(true);
  watch.close();
  expect(told).toEqual(["It has no such question."]);
});

test("what happened is told again to whoever never heard the answer", async () => {
  await lookAtAll();
  const never = new AbortController();
  const lost = served.wait(0, never.signal);
  await put(folders.sides.remote, { "a.txt": "a\n" });
  const seen = await lost;
  expect(seen).toBeGreaterThan(0);
  expect(await served.wait(0, never.signal)).toBeGreaterThanOrEqual(seen);
});

test("a served tree that is closed while somebody waits lets them go, whatever it was", async () => {
  await lookAtAll();
  const never = new AbortController();
  let isOver = false;
  const waiting = served.wait(0, never.signal).then(() => (isOver = true));
  await lookAtAll();
  expect(isOver).toBe(false);
  served.close();
  // Long before it would have ended by itself.
  expect(await comes(() => isOver)).toBe(true);
  await waiting;
  expect(never.signal.aborted).toBe(false);
});
