import { once } from "node:events";
import { type Server, createServer } from "node:net";
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import {
  LIMIT_MS,
  PROGRAMS,
  only,
  plan,
  start,
  stateOf,
  until,
  useBench,
} from "../../test/programs/bench.ts";
import { findFreePort, isRunning } from "../process/process.ts";

const bench = useBench();

let servers: Server[] = [];

afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
});

test("a process that never opens its port fails by name and number, and is ready when it does after all", async () => {
  const port = await findFreePort();
  const runtime = await start(
    bench(),
    only(
      plan("serves.mjs", {
        port,
        ready: { kind: "http", path: "/", timeoutMs: 200 },
        variables: { DELAY_MS: "2500" },
      }),
    ),
  );

  const [state] = await runtime.settled({ timeoutMs: LIMIT_MS });
  expect(state).toMatchObject({
    state: "failed",
    problem: {
      code: "process_not_ready",
      message: expect.stringContaining(`${port} within 0.2 s`),
    },
  });
  expect(isRunning(state?.pid ?? 0)).toBe(true);

  const late = await until(runtime, "ready");
  expect(late.pid).toBe(state?.pid);
  expect(late.problem).toBeNull();
});

test("a process that answers with 500 is not ready, and one that listens on ::1 alone is", async () => {
  const [a, b] = [await findFreePort(), await findFreePort()];
  const runtime = await start(
    bench(),
    only(
      plan("serves.mjs", {
        port: a,
        variables: { STATUS: "500" },
        ready: { kind: "http", path: "/", timeoutMs: 1_000 },
      }),
      plan("serves.mjs", { name: "six", port: b, variables: { HOST: "::1" } }),
    ),
  );
  await runtime.settled({ timeoutMs: LIMIT_MS });

  expect(stateOf(runtime).problem?.message).toContain("GET / was answered with 500");
  expect(stateOf(runtime, "six").state).toBe("ready");
});

test("a process that ignores its port is found by its listening socket, also in a detached grandchild", async () => {
  const [told, other, third] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const file = path.join(PROGRAMS, "serves-elsewhere.mjs");
  const flee = `require("node:child_process").spawn(process.execPath, ["${file}"], { detached: true, stdio: "inherit" }).unref()`;
  const runtime = await start(
    bench(),
    only(
      plan("serves-elsewhere.mjs", { port: told, variables: { OTHER_PORT: String(other) } }),
      plan("serves-elsewhere.mjs", {
        name: "fled",
        command: `node -e '${flee}'; exec sleep 600`,
        port: await findFreePort(),
        ready: { kind: "port", timeoutMs: 20_000 },
        variables: { OTHER_PORT: String(third) },
      }),
    ),
  );

  expect(await until(runtime, "ready")).toMatchObject({
    port: other,
    problem: { code: "port_ignored" },
  });
  expect(await until(runtime, "ready", "fled")).toMatchObject({ port: third });
});

test("a listener that is not the process's own does not make it ready", async () => {
  const port = await findFreePort();
  const stranger = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end("HTTP/1.1 200 OK\r\n\r\n");
  }).listen(port, "127.0.0.1");
  servers.push(stranger);
  await once(stranger, "listening");
  const runtime = await start(
    bench(),
    only(plan("never-listens.mjs", { port, ready: { kind: "http", path: "/", timeoutMs: 500 } })),
  );

  expect(await runtime.settled({ timeoutMs: LIMIT_MS })).toMatchObject([
    { state: "failed", problem: { message: expect.stringContaining("another program listens") } },
  ]);
});

test("settled gives up at its limit and at the caller's wish", async () => {
  const runtime = await start(
    bench(),
    only(plan("never-listens.mjs", { port: await findFreePort() })),
  );

  expect(await runtime.settled({ timeoutMs: 50 })).toMatchObject([{ state: "starting" }]);
  const aborted = runtime.settled({ timeoutMs: LIMIT_MS, signal: AbortSignal.timeout(50) });
  await expect(aborted).rejects.toMatchObject({ name: "TimeoutError" });
});
