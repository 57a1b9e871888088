import { request } from "node:http";

import { afterEach, beforeEach, expect, test } from "vitest";

import { findFreePort } from "../../process/process.ts";
import type { LiveEnvironment } from "../live/live-environment.ts";
import { runs, TestEngine, until } from "../test-engine.ts";
import { moveOwnPort } from "./own-port.ts";

let stage: TestEngine;

beforeEach(async () => {
  stage = await TestEngine.open();
});
afterEach(async () => stage.close());

/** An app whose code names its port, and a fork of it. */
async function createTwo(port: number, process: object): Promise<readonly LiveEnvironment[]> {
  const command = runs("names-its-port.mjs", `OWN_PORT=${port}`);
  const manifest = { processes: { web: { command, ...process } }, database: false };
  const development = await stage.createApp("shop", manifest);
  return [development, await stage.fork("shop", "agent")];
}

async function settle(live: LiveEnvironment): Promise<ReturnType<LiveEnvironment["processes"]>> {
  return until(() => {
    const processes = live.processes();
    const isBusy = processes.some(({ state, problem }) => state !== "ready" && problem === null);
    return processes.length === 0 || isBusy ? undefined : processes;
  });
}

test("two environments whose code names the same port both answer, each on its own", async () => {
  const own = await findFreePort();

  const environments = await createTwo(own, { port: own });

  for (const live of environments) {
    const port = live.record.ports["web"];
    expect(await settle(live)).toMatchObject([{ state: "ready", port }]);
    expect(port).not.toBe(own);
    expect(await bodyAt(port)).toBe("own");
  }
});

test("without the move the first is found where it listens, and the second is told whose the port is and what to do", async () => {
  const own = await findFreePort();

  const [development, agent] = await createTwo(own, {});

  expect(development && (await settle(development))).toMatchObject([{ state: "ready", port: own }]);
  const [web] = (agent && (await settle(agent))) ?? [];
  expect(web?.problem).toMatchObject({
    code: "port_taken",
    message: expect.stringContaining(`:${own}`),
    remedy: expect.stringContaining(`"port": ${own}`),
  });
});

test.each<[before: string | undefined, preload: string, options: string]>([
  [undefined, "/opt/own-port.cjs", '--require "/opt/own-port.cjs"'],
  ["--inspect", "/opt/own-port.cjs", '--inspect --require "/opt/own-port.cjs"'],
  [undefined, '/my "app"/a\\b.cjs', String.raw`--require "/my \"app\"/a\\b.cjs"`],
])("to NODE_OPTIONS %j and the file %j become %j", (before, preload, options) => {
  const environment = before === undefined ? {} : { NODE_OPTIONS: before };
  expect(moveOwnPort({ ...environment, MODE: "a" }, { from: 3000, to: 24_001, preload })).toEqual({
    MODE: "a",
    NODE_OPTIONS: options,
    RAMET_OWN_PORT: "3000:24001",
  });
});

async function bodyAt(port: number | undefined): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request({ host: "127.0.0.1", port, path: "/" }, (answer) => {
    answer.setEncoding("utf8").once("data", resolve);
  })
    .on("error", reject)
    .end();
  return promise;
}
