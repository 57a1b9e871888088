import { appendFile, mkdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { openCallStage, SHOP } from "../../../test/journeys/call-stage.ts";
import type { CallStage } from "../../../test/journeys/call-stage.ts";
import { until } from "../../engine/test-engine.ts";
import type { LogLine } from "../../environment/environment.ts";
import type { Message } from "../../protocol/messages.ts";

let stage: CallStage;

beforeAll(async () => {
  stage = await openCallStage();
});
afterAll(async () => stage.close());

function lineOf(number: number): LogLine {
  const time = new Date(1_800_000_000_000 + number).toISOString();
  const text = String(number);
  return {
    time,
    process: "setup",
    stream: "stdout",
    level: "info",
    message: text,
    fields: {},
    text,
  };
}

test("lines come in their order, as they are written, and the end comes last", async () => {
  const file = path.join(
    stage.engine.engine.registry.require("shop", "development").logs,
    "setup.jsonl",
  );
  await mkdir(path.dirname(file), { recursive: true });
  const first = Array.from({ length: 2_000 }, (_, number) => JSON.stringify(lineOf(number)));
  await appendFile(file, `${first.join("\n")}\n`);

  const body = JSON.stringify({ ...SHOP, process: "setup", follow: false, last: 5_000 });
  const { messages } = await stage.ask({ path: "/calls/environment.logs", body });
  expect(messages.slice(-2_001, -1)).toEqual(first.map((_, number) => ({ line: lineOf(number) })));
  expect(messages.at(-1)).toEqual({ result: {} });

  const caller = new AbortController();
  const heard: Message[] = [];
  const following = stage
    .ask({
      path: "/calls/environment.logs",
      body: JSON.stringify({ ...SHOP, process: "setup", follow: true, last: 1 }),
      signal: caller.signal,
      onMessage: (message) => void heard.push(message),
    })
    .catch((error: unknown) => error);
  await until(() => (heard.length === 1 ? true : undefined));
  await appendFile(file, `${JSON.stringify(lineOf(2_000))}\n`);
  await until(() => (heard.length === 2 ? true : undefined));
  expect(heard).toEqual([{ line: lineOf(1_999) }, { line: lineOf(2_000) }]);
  caller.abort();
  expect(await following).toMatchObject({ name: "AbortError" });
});

test("a caller that leaves takes back what it asked for, and that is nobody's bug", async () => {
  const caller = new AbortController();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  stage.engine.checkpoint = async (step) => {
    if (step !== "after prepare") return;
    reach();
    await held;
  };
  const input = { app: "shop", name: "agent", from: ["development"], files: { kind: "kept" } };
  const before = stage.log.length;
  const heard: Message[] = [];
  const asking = stage
    .ask({
      path: "/calls/environment.create",
      body: JSON.stringify({ ...input, searchPath: process.env["PATH"] }),
      signal: caller.signal,
      onMessage: (message) => void heard.push(message),
    })
    .catch((error: unknown) => error);
  await reached;
  caller.abort();
  expect(await asking).toMatchObject({ name: "AbortError" });
  stage.engine.checkpoint = () => undefined;
  release();

  const list = JSON.stringify({ app: "shop" });
  await until(async () => {
    const { messages } = await stage.ask({ path: "/calls/environment.list", body: list });
    const [message] = messages;
    const all = message !== undefined && "result" in message ? message.result : [];
    return Array.isArray(all) && all.length === 1 ? true : undefined;
  });
  expect(await stage.engine.engine.leftovers()).toEqual([]);
  expect(stage.log.slice(before)).toEqual([]);
});

test("the log of a process can be read while its environment sleeps, also by the next server", async () => {
  await stage.engine.engine.registry.require("shop", "development").sleep();
  await stage.engine.reopen();
  const body = JSON.stringify({ ...SHOP, process: "web", follow: false, last: 10 });
  const { messages } = await stage.ask({ path: "/calls/environment.logs", body });
  expect(messages.at(-1)).toEqual({ result: {} });
  expect(messages.length).toBeGreaterThan(1);
});
