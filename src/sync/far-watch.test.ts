import { afterEach, beforeEach, expect, test } from "vitest";

import { type Folders, openFolders, put } from "../../test/sync/folders.ts";
import { waitFor } from "../base/clock.ts";
import { FarWatch } from "./far-watch.ts";
import { openServedTree } from "./sync.ts";
import type { ServedTree } from "./sync.ts";

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

test("a change there is heard of here", async () => {
  await lookAtAll();
  let heard = 0;
  const watch = new FarWatch(
    async (signal) => served.wait(signal),
    () => (heard += 1),
  );
  await put(folders.sides.remote, { "a.txt": "a\n" });
  expect(await comes(() => heard > 0)).toBe(true);
  watch.close();
});

test("a wait ends when its watch is closed, and none follows it", async () => {
  const signals: AbortSignal[] = [];
  let ended = 0;
  const wait = async (signal: AbortSignal): Promise<void> => {
    signals.push(signal);
    await served.wait(signal);
    ended += 1;
  };
  const watch = new FarWatch(wait, () => undefined);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  watch.close();
  expect(await comes(() => ended === 1)).toBe(true);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("a wait that fails is told of once, so that somebody looks, and is not begun again", async () => {
  let waits = 0;
  let heard = 0;
  const wait = async (): Promise<void> => {
    waits += 1;
    await Promise.reject(new Error("Lost."));
  };
  const watch = new FarWatch(wait, () => (heard += 1));
  expect(await comes(() => heard > 0)).toBe(true);
  expect({ waits, heard }).toEqual({ waits: 1, heard: 1 });
  watch.close();
});

test("a served tree that is closed while somebody waits lets them go, whatever it was", async () => {
  await lookAtAll();
  const never = new AbortController();
  let isOver = false;
  const waiting = served.wait(never.signal).then(() => (isOver = true));
  await lookAtAll();
  expect(isOver).toBe(false);
  served.close();
  // Long before it would have ended by itself.
  expect(await comes(() => isOver)).toBe(true);
  await waiting;
  expect(never.signal.aborted).toBe(false);
});
