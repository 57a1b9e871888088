import { once } from "node:events";
import { chmod, rm, stat, symlink } from "node:fs/promises";
import { type Server, connect } from "node:net";
import path from "node:path";

import { afterEach, expect, test } from "vitest";

import {
  LIMIT_MS,
  SEARCH_PATH,
  START,
  PROGRAMS,
  logged,
  only,
  plan,
  start,
  stateOf,
  until,
  findKeeperPid,
  useBench,
} from "../../test/programs/bench.ts";
import { waitFor } from "../base/clock.ts";
import { exists } from "../base/remove-inside.ts";
import { MARK_VARIABLE } from "../environment/places.ts";
import {
  findFreePort,
  findMarked,
  hasMark,
  isRunning,
  signalProcess,
  startDetached,
  startPiped,
} from "../process/process.ts";
import * as door from "./runtime.ts";

const bench = useBench();

let servers: Server[] = [];

afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
});

test("a process is started with exactly its variables, becomes ready on its port, and is ended by stop", async () => {
  const port = await findFreePort();
  const runtime = await start(
    bench(),
    only(
      plan("serves.mjs", { port, variables: { NAME: "hello" } }),
      plan("serves.mjs", { name: "env", command: "env; exec sleep 600", ready: { kind: "none" } }),
    ),
  );
  const states = await runtime.settled({ timeoutMs: LIMIT_MS });

  expect(states).toMatchObject([
    { name: "web", state: "ready", port, problem: null },
    { name: "env", state: "ready", port: null },
  ]);
  expect(await bodyAt(port)).toBe("hello");
  await logged(bench(), /^PATH=/, "env");
  const variables = (await door.readLog(bench().place.logs, { process: "env", last: 100 }))
    .filter((line) => line.stream === "stdout")
    .map((line) => line.text.split("=")[0]);
  expect(new Set(variables)).toEqual(new Set(["PATH", "PWD", "RAMET_MARK", "RAMET_PROCESS_MARK"]));

  await runtime.stop();
  await runtime.closed;

  expect(await findMarked(MARK_VARIABLE, bench().place.mark)).toEqual([]);
  expect(await exists(bench().place.socket)).toBe(false);
  await expect(runtime.apply(only())).rejects.toMatchObject({ code: "keeper_gone" });
});

test("nobody but its owner can speak to a keeper", async () => {
  await door.startRuntime(bench().place, START);

  expect((await stat(bench().place.socket)).mode & 0o777).toBe(0o600);
});

test("the processes of a server that was killed run on, and the next server finds them", async () => {
  const port = await findFreePort();
  const server = await startPiped({
    file: process.execPath,
    args: [
      path.join(PROGRAMS, "starts-a-keeper.ts"),
      JSON.stringify(bench().place),
      JSON.stringify(only(plan("serves.mjs", { port }))),
    ],
    folder: bench().folder,
    environment: { PATH: SEARCH_PATH },
    user: null,
  });
  await once(server.stdout, "data");
  signalProcess(server.pid, "SIGKILL");
  await server.exited;

  const runtime = await door.findRuntime(bench().place);
  if (runtime === undefined) throw new Error("The keeper was not found.");
  const before = await until(runtime, "ready");
  expect(await bodyAt(port)).toBe("app");
  runtime.disconnect();

  const again = await door.findRuntime(bench().place);
  expect(again?.processes()).toEqual([before]);
});

test("a keeper uses the compile cache of the server that starts it", async () => {
  const cache = path.join(bench().folder, "cache");
  const server = await startPiped({
    file: process.execPath,
    args: [
      path.join(PROGRAMS, "starts-a-keeper.ts"),
      JSON.stringify(bench().place),
      JSON.stringify(only()),
    ],
    folder: bench().folder,
    environment: { PATH: SEARCH_PATH, NODE_COMPILE_CACHE: cache },
    user: null,
  });
  await once(server.stdout, "data");

  expect(await hasMark(await findKeeperPid(bench()), "NODE_COMPILE_CACHE", cache)).toBe(true);

  signalProcess(server.pid, "SIGKILL");
  await server.exited;
});

test("no keeper is found where none is, nor where one has left its socket behind", async () => {
  expect(await door.findRuntime(bench().place)).toBeUndefined();
  const runtime = await door.startRuntime(bench().place, START);
  signalProcess(await findKeeperPid(bench()), "SIGKILL");
  await runtime.closed;

  expect(await exists(bench().place.socket)).toBe(true);
  expect(await door.findRuntime(bench().place)).toBeUndefined();
});

test("a keeper that was killed leaves nothing that a new one does not clear", async () => {
  const port = await findFreePort();
  const first = await start(
    bench(),
    only(
      plan("serves.mjs", { port }),
      plan("ignores-sigterm.mjs", { name: "deaf", ready: { kind: "none" } }),
    ),
  );
  await first.settled({ timeoutMs: LIMIT_MS });
  const orphans = first.processes().map(({ pid }) => pid ?? 0);
  const keepers = (await findMarked(MARK_VARIABLE, `${bench().place.mark}.keeper`)).map(
    ({ pid }) => pid,
  );
  signalProcess(keepers[0] ?? 0, "SIGKILL");
  await first.closed;
  expect(orphans.map(isRunning)).toEqual([true, true]);

  const second = await start(bench(), only(plan("serves.mjs", { port })));
  await until(second, "ready");

  expect(orphans.map(isRunning)).toEqual([false, false]);
});

test("a program that is no keeper is a problem that quotes what it printed", async () => {
  await expect(
    door.startRuntime(bench().place, {
      program: ["/bin/sh", "-c", "echo 'no such command: keep' >&2; exit 2"],
      hasOwnNetwork: false,
    }),
  ).rejects.toMatchObject({
    code: "keeper_failed",
    message: expect.stringContaining("no such command: keep"),
  });
  await expect(
    door.startRuntime(bench().place, { program: ["no-such-node"], hasOwnNetwork: false }),
  ).rejects.toMatchObject({
    code: "program_missing",
  });
});

test("a client that talks nonsense or leaves in the midst harms nobody", async () => {
  const same = plan("never-listens.mjs", { ready: { kind: "none" } });
  const runtime = await start(bench(), only(same));
  const before = await until(runtime, "ready");
  for (const words of [
    "nonsense\n",
    '{"kind":"apply","id":1}\n',
    '{"kind":"stop"}\n',
    "{",
    "x".repeat(2_000_000),
  ]) {
    const socket = connect(bench().place.socket);
    socket.on("error", () => undefined);
    socket.end(words);
    socket.resume();
    await once(socket, "close");
  }

  await runtime.apply(only(same));
  expect(stateOf(runtime)).toEqual(before);
});

test("two servers see the same, and one's leaving does not trouble the other", async () => {
  const first = await start(bench(), only(plan("never-listens.mjs", { ready: { kind: "none" } })));
  const second = await door.findRuntime(bench().place);
  if (second === undefined) throw new Error("The keeper was not found.");
  await until(second, "ready");
  let calls = 0;
  const forget = second.onChange(() => (calls += 1));
  first.disconnect();

  await second.restart("web");
  await until(second, "ready");
  expect(calls).toBeGreaterThan(0);
  forget();
});

test("a keeper whose socket was taken away ends its processes and itself", async () => {
  const runtime = await start(
    bench(),
    only(plan("never-listens.mjs", { ready: { kind: "none" } })),
  );
  const { pid } = await until(runtime, "ready");

  await rm(bench().place.socket);
  await runtime.closed;

  const isGone = await waitFor(
    async () => (await findMarked(MARK_VARIABLE, bench().place.mark)).length === 0 || undefined,
    {
      timeoutMs: LIMIT_MS,
    },
  );
  expect(isGone).toBe(true);
  expect(isRunning(pid ?? 0)).toBe(false);
});

test("a keeper that is asked to end by a signal ends its processes first", async () => {
  const runtime = await start(
    bench(),
    only(plan("never-listens.mjs", { ready: { kind: "none" } })),
  );
  const { pid } = await until(runtime, "ready");

  signalProcess(await findKeeperPid(bench()), "SIGTERM");
  await runtime.closed;

  expect(isRunning(pid ?? 0)).toBe(false);
});

test("stop ends everything also when the keeper has been killed", async () => {
  const runtime = await start(
    bench(),
    only(plan("never-listens.mjs", { ready: { kind: "none" } })),
  );
  const { pid } = await until(runtime, "ready");
  signalProcess(await findKeeperPid(bench()), "SIGKILL");

  await runtime.stop();

  expect(isRunning(pid ?? 0)).toBe(false);
  expect(await findMarked(MARK_VARIABLE, bench().place.mark)).toEqual([]);
});

test.runIf(process.getuid?.() === 0)(
  "as root, keeper and processes run as the environment's own user",
  async () => {
    const { folder, place } = bench();
    const user = { uid: 54_321, gid: 54_321, home: folder, name: "ramet-test" };
    await chmod(folder, 0o777);
    // The user may not enter our own checkout: what it says is enough to see as whom it runs.
    const program = ["/bin/sh", "-c", "id -u; id -G; echo $HOME; exit 1"];

    await expect(
      door.startRuntime({ ...place, user }, { program, hasOwnNetwork: false }),
    ).rejects.toMatchObject({
      message: expect.stringContaining(`54321\n54321\n${folder}`),
    });
    expect((await stat(bench().place.logs)).uid).toBe(54_321);
  },
);

test("a link in the logs' folder does not lead the keeper's output elsewhere", async () => {
  const runtime = await door.startRuntime(bench().place, START);
  await runtime.stop();
  const victim = path.join(bench().folder, "victim");
  await rm(path.join(bench().place.logs, "keeper.log"));
  await symlink(victim, path.join(bench().place.logs, "keeper.log"));

  await expect(
    startDetached(
      {
        file: "true",
        args: [],
        folder: bench().folder,
        environment: { PATH: SEARCH_PATH },
        user: null,
      },
      { output: path.join(bench().place.logs, "keeper.log") },
    ),
  ).rejects.toMatchObject({ code: "ELOOP" });
  expect(await exists(victim)).toBe(false);
});

async function bodyAt(port: number | null, where = "/"): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${where}`)).text();
}
