import { readFile } from "node:fs/promises";
import { request } from "node:http";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { sleep } from "../../src/base/clock.ts";
import { isRunning, startDetached } from "../../src/process/process.ts";
import { eventually, fetchJson, openStage, ROOT } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let app: string;
let port: number;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  port = portOf(await stage.json(app, ["init"]));
});
afterAll(async () => stage.close());

/** More than a create or a delete has; the loop ends when one was survived. */
const MOST_STEPS = 40;

test("kill -9 of the server at every step of a create: the environment is there or it is not, and nobody else notices", async () => {
  const watch = watchNeighbour();
  const steps = await killAtEveryStep(async () =>
    stage.ramet(app, ["env", "create", "victim", "--json"]),
  );
  expect(await watch.stop()).toEqual([]);
  expect(steps).toContain("before prepare");
  expect(steps).toContain("after record");
  expect(steps).toContain("before migrate");
}, 300_000);

test("kill -9 of the server at every step of a delete: the environment is there or it is not, and nobody else notices", async () => {
  const watch = watchNeighbour();
  const steps = await killAtEveryStep(
    async () => {
      return stage.ramet(app, ["env", "delete", "victim", "--force", "--json"]);
    },
    async () => stage.json(app, ["env", "create", "victim"]),
  );
  expect(await watch.stop()).toEqual([]);
  expect(steps).toEqual(
    expect.arrayContaining([
      "before removal",
      "after removal",
      "before clearing",
      "after clearing",
    ]),
  );
}, 300_000);

/** Runs the work under a server that dies at step 1, 2, ... until it outlives the work; what is left is checked after each. */
async function killAtEveryStep(
  work: () => Promise<{ exitCode: number }>,
  prepare: () => Promise<unknown> = async () => undefined,
): Promise<readonly string[]> {
  const steps: string[] = [];
  for (let number = 1; number <= MOST_STEPS; number += 1) {
    await prepare();
    const server = await startDyingServer(number);
    await work();
    const isDead = await server.isDead();
    if (!isDead) await server.leave();
    else steps.push(await server.step());
    await expectSound();
    if (!isDead) return steps;
  }
  throw new Error(`There are more than ${MOST_STEPS} steps.`);
}

/** What any next command finds: a whole environment or none, and nothing left over. */
async function expectSound(): Promise<void> {
  const listed = await stage.json(app, ["env", "list"]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  if (!Array.isArray(listed)) throw new Error("A list is a list.");
  if (listed.length === 1) return;
  const started = await stage.json(app, ["env", "start", "victim"]);
  expect(started).toMatchObject({ name: "victim", state: "awake", problems: [] });
  const url = "http://notes--victim.localhost";
  const gateway = await stage.json(app, ["server", "status"]);
  const gatewayPort =
    typeof gateway === "object" && gateway !== null && "gatewayPort" in gateway
      ? gateway.gatewayPort
      : 0;
  await eventually(async () => {
    expect(await fetchJson(`${url}:${String(gatewayPort)}`)).toMatchObject({
      environment: "victim",
      notes: 1000,
    });
  });
  await stage.ramet(app, ["env", "delete", "victim", "--force"]);
}

type DyingServer = { isDead(): Promise<boolean>; step(): Promise<string>; leave(): Promise<void> };

async function startDyingServer(number: number): Promise<DyingServer> {
  await stage.json(app, ["server", "status"]);
  await leave();
  const output = path.join(stage.folder, `dying-${number}.log`);
  const pid = await startDetached(
    {
      file: process.execPath,
      args: [path.join(ROOT, "test", "programs", "dying-server.ts"), stage.home, String(number)],
      folder: stage.folder,
      environment: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/" },
      user: null,
    },
    { output },
  );
  await eventually(async () => expect(await readFile(output, "utf8")).toContain("Serving"));
  return {
    isDead: async () => {
      // The step after an answer, such as clearing behind a delete, comes a moment later.
      const end = performance.now() + 3_000;
      while (performance.now() < end && isRunning(pid)) await sleep(20);
      return !isRunning(pid);
    },
    step: async () => /killed (.*)/.exec(await readFile(output, "utf8"))?.[1] ?? "",
    leave,
  };
}

async function leave(): Promise<void> {
  const status = await stage.json(app, ["server", "status"]);
  const pid =
    typeof status === "object" && status !== null && "pid" in status ? Number(status.pid) : 0;
  if (pid === 0) return;
  process.kill(pid, "SIGTERM");
  await eventually(async () => expect(isRunning(pid)).toBe(false));
}

/** Asks the neighbour's own process, rows and all, every few milliseconds. */
function watchNeighbour(): { stop(): Promise<readonly string[]> } {
  const failures: string[] = [];
  let isOn = true;
  const asking = (async () => {
    while (isOn) {
      const answer = await ask();
      if (!answer.includes('"notes":1000')) failures.push(answer);
      await sleep(20);
    }
  })();
  return {
    stop: async () => {
      isOn = false;
      await asking;
      return failures;
    },
  };
}

async function ask(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const sent = request({ host: "127.0.0.1", port, timeout: 10_000 }, (response) => {
    let text = "";
    response.on("data", (chunk) => (text += String(chunk)));
    response.on("end", () => resolve(text));
  });
  sent
    .on("error", (error) => resolve(error.message))
    .on("timeout", () => sent.destroy(new Error("no answer")))
    .end();
  return promise;
}

function portOf(made: unknown): number {
  const { processes } = { processes: [], ...(typeof made === "object" ? made : {}) } as const;
  const web = [...processes].find((process: { name: string }) => process.name === "web");
  return typeof web === "object" && web !== null && "port" in web ? Number(web["port"]) : 0;
}
