import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import {
  LIMIT_MS,
  logged,
  only,
  plan,
  start,
  stateOf,
  until,
  useBench,
} from "../../test/programs/bench.ts";
import type { ProblemFields } from "../base/problem.ts";
import { exists } from "../base/remove-inside.ts";
import { findFreePort, isRunning } from "../process/process.ts";

const bench = useBench();

test("apply leaves the unchanged alone, restarts the changed, starts the new and ends the gone", async () => {
  const [a, b] = [await findFreePort(), await findFreePort()];
  const same = plan("serves.mjs", { port: a });
  const gone = plan("never-listens.mjs", { name: "gone", ready: { kind: "none" } });
  const runtime = await start(
    bench(),
    only(same, gone, plan("serves.mjs", { name: "api", port: b })),
  );
  await runtime.settled({ timeoutMs: LIMIT_MS });
  const before = runtime.processes();

  await runtime.apply(
    only(
      plan("serves.mjs", { name: "api", port: b, variables: { NAME: "changed" } }),
      same,
      plan("never-listens.mjs", { name: "new", ready: { kind: "none" } }),
    ),
  );
  expect(isRunning(before[1]?.pid ?? 0)).toBe(false);
  await runtime.settled({ timeoutMs: LIMIT_MS });

  expect(runtime.processes().map(({ name }) => name)).toEqual(["api", "web", "new"]);
  expect(stateOf(runtime)).toEqual(before[0]);
  expect(stateOf(runtime, "api").pid).not.toBe(before[2]?.pid);
  expect(await bodyAt(b)).toBe("changed");
});

test("a process with a problem waits, and a plan without the problem starts it", async () => {
  const port = await findFreePort();
  const problem: ProblemFields = {
    code: "variable_missing",
    message: "KEY is missing.",
    remedy: "Set it.",
  };
  const runtime = await start(bench(), only(plan("serves.mjs", { port, problem })));

  expect(await runtime.settled({ timeoutMs: LIMIT_MS })).toMatchObject([
    { state: "waiting", pid: null, problem },
  ]);

  await runtime.apply(only(plan("serves.mjs", { port })));
  await until(runtime, "ready");
});

test("restart gives a process another life", async () => {
  const port = await findFreePort();
  const runtime = await start(bench(), only(plan("serves.mjs", { port })));
  const first = await until(runtime, "ready");

  await runtime.restart("web");

  expect(isRunning(first.pid ?? 0)).toBe(false);
  expect((await until(runtime, "ready")).pid).not.toBe(first.pid);
  await expect(runtime.restart("wbe")).rejects.toMatchObject({
    code: "process_unknown",
    remedy: expect.stringContaining("web"),
  });
});

test("a process that exits at once settles quickly, says why, and is tried again", async () => {
  const runtime = await start(
    bench(),
    only(plan("exits-at-once.sh", { port: await findFreePort() })),
  );

  const [state] = await runtime.settled({ timeoutMs: LIMIT_MS });

  expect(state).toMatchObject({
    state: "restarting",
    pid: null,
    problem: {
      code: "process_exited",
      message: expect.stringMatching(/exited with code 1:\n  cannot find module 'shop'/),
      remedy: expect.stringContaining("ramet logs"),
    },
  });
  await logged(bench(), /started again in 1 s/);
});

test("a command whose folder is missing fails with that for its reason", async () => {
  const runtime = await start(bench(), only(plan("serves.mjs", { folder: "/no/such/folder" })));

  expect(await runtime.settled({ timeoutMs: LIMIT_MS })).toMatchObject([
    {
      state: "restarting",
      problem: { code: "program_failed", message: expect.stringContaining("/no/such/folder") },
    },
  ]);
});

test("a process that crashes after it was ready comes back", async () => {
  const port = await findFreePort();
  const runtime = await start(bench(), only(plan("serves-then-crashes.mjs", { port })));
  const first = await until(runtime, "ready");

  await expect(bodyAt(port, "/crash")).rejects.toThrow();

  const down = await until(runtime, "restarting");
  expect(down.problem?.message).toContain("it was asked to crash");
  const second = await until(runtime, "ready");
  expect(second.pid).not.toBe(first.pid);
  expect(second.problem).toBeNull();
  expect(await bodyAt(port)).toBe("well");
});

test("a process that ignores SIGTERM is ended all the same", async () => {
  const runtime = await start(
    bench(),
    only(plan("ignores-sigterm.mjs", { ready: { kind: "none" } })),
  );
  await logged(bench(), /^up$/);
  const { pid } = await until(runtime, "ready");

  await runtime.apply(only());

  expect(isRunning(pid ?? 0)).toBe(false);
  expect(runtime.processes()).toEqual([]);
});

test("a stray that left its group is ended with its process, and its neighbours are not", async () => {
  const neighbour = plan("never-listens.mjs", { name: "neighbour", ready: { kind: "none" } });
  const runtime = await start(
    bench(),
    only(plan("flees.mjs", { ready: { kind: "none" } }), neighbour),
  );
  const stray = Number((await logged(bench(), /^stray \d+$/)).slice(6));
  const { pid } = await until(runtime, "ready", "neighbour");
  expect(isRunning(stray)).toBe(true);

  await runtime.apply(only(neighbour));

  expect(isRunning(stray)).toBe(false);
  expect(stateOf(runtime, "neighbour").pid).toBe(pid);
});

test("what a leader leaves behind is ended before it is started again", async () => {
  const runtime = await start(
    bench(),
    only(
      plan("leaves-the-group-behind.sh", {
        ready: { kind: "port", timeoutMs: 20_000 },
        port: await findFreePort(),
      }),
    ),
  );
  const member = Number(await logged(bench(), /^\d+$/));

  await until(runtime, "restarting");

  expect(isRunning(member)).toBe(false);
});

test("a member of its group that has lost its marks is ended too", async () => {
  const command = "env -i sleep 600 & echo $!; wait";
  const runtime = await start(bench(), only(plan("", { command, ready: { kind: "none" } })));
  const member = Number(await logged(bench(), /^\d+$/));
  expect(isRunning(member)).toBe(true);

  await runtime.restart("web");

  expect(isRunning(member)).toBe(false);
});

test("a flood of output is kept in a bounded number of bounded files, and held back at its pipe", async () => {
  const flood = plan("prints-100-mb.mjs", { name: "flood", ready: { kind: "none" } });
  const command = `MEGABYTES=25 ${flood.command}`;
  const runtime = await start(bench(), only({ ...flood, command }));
  await until(runtime, "restarting", "flood");

  const names = ["flood.jsonl", "flood.1.jsonl", "flood.2.jsonl"];
  const files = names.map((name) => path.join(bench().place.logs, name));
  const texts = await Promise.all(files.map(async (file) => readFile(file, "latin1")));
  expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(10 * 1024 * 1024);
  expect(texts.join("").split("prints more than 4 MB a second")).toHaveLength(2);
  expect(await exists(path.join(bench().place.logs, "flood.3.jsonl"))).toBe(false);
  expect(runtime.processes()).toHaveLength(1);
});

async function bodyAt(port: number | null, where = "/"): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${where}`)).text();
}
