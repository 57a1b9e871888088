import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { isRunning, signalProcess } from "../../process/process.ts";
import { runCli } from "../cli.ts";
import { captureContext, createFolder, removeFolder } from "../fixtures/context.ts";
import type { CapturedContext } from "../fixtures/context.ts";
import type { Context } from "../terminal/context.ts";
import { findServer, pickServerEnvironment, startServer } from "./server-process.ts";

/**
 * A server of a few lines: it holds a lock, answers its status once what it waits for is there, and ends when it is told; or,
 * as if another had taken its place in that instant, is another from then on.
 */
const SERVER = `
const fs = require("node:fs"), http = require("node:http"), path = require("node:path");
const [home, socket, ...said] = process.argv.slice(2);
const awaited = said.includes("patient") ? "late" : "token";
let isReplaced = said.includes("replaced");
let listenArguments = said.includes("--listen") ? said.slice(said.indexOf("--listen")) : null;
try { fs.mkdirSync(path.join(home, "lock")); } catch { console.log("Another one is there."); process.exit(0); }
fs.writeFileSync(path.join(home, "token"), "t");
fs.writeFileSync(path.join(home, "environment"), JSON.stringify(process.env));
fs.mkdirSync(path.dirname(socket), { recursive: true });
let pid = process.pid;
const server = http.createServer(async (request, response) => {
  while (!fs.existsSync(path.join(home, awaited))) await new Promise((done) => setTimeout(done, 5));
  const status = { running: true, pid, listenArguments, version: "1", gatewayPort: 1, databasePort: 2, home, startedAt: null };
  const name = request.url.replace("/calls/", "");
  const result = name === "server.status" ? status : name === "server.stop" ? { stopped: 3 } : {};
  response.end(JSON.stringify({ result }) + "\\n");
  if (name === "server.status") return;
  if (isReplaced) {
    [isReplaced, listenArguments, pid] = [false, null, 1];
    return;
  }
  server.close(); server.closeIdleConnections();
  fs.rmdirSync(path.join(home, "lock"));
});
setTimeout(() => server.listen(socket), 100);
`;

const PATIENTLY = { timeout: 30_000 };

let folder: string;
let program: string;
let pids: number[];

beforeEach(async () => {
  folder = await createFolder();
  program = path.join(folder, "server.cjs");
  pids = [];
  await writeAtomically(program, SERVER);
});

afterEach(async () => {
  for (const pid of pids) signalProcess(pid, "SIGKILL");
  await waitFor(() => (pids.some(isRunning) ? undefined : true), { timeoutMs: 10_000 });
  await removeFolder(folder);
});

function contextAt(changes: Partial<Context> = {}): CapturedContext {
  const context = captureContext(folder, changes);
  const { home } = context;
  return {
    ...context,
    program: changes.program ?? [process.execPath, program, home.folder, home.socket],
  };
}

async function start(context: Context): Promise<number> {
  const { pid } = await startServer(context);
  if (pid === null) throw new Error("A running server has a pid.");
  pids.push(pid);
  return pid;
}

test("a server is started, outlives the call, and is found again", async () => {
  const context = contextAt();
  const pid = await start(context);
  expect(isRunning(pid)).toBe(true);
  expect(await findServer(context.home)).toMatchObject({ running: true, pid });
  expect((await stat(context.home.folder)).mode & 0o777).toBe(0o700);
});

test("two that start one at once get the same", async () => {
  const [one, other] = await Promise.all([start(contextAt()), start(contextAt())]);
  expect(one).toBe(other);
});

test("a command that needs the server starts it, and stop and restart are waited for", async () => {
  const context = contextAt();
  expect(await runCli(["server", "start", "--json"], context)).toBe(0);
  const first: { pid: number } = JSON.parse(context.out());
  pids.push(first.pid);
  const restarting = contextAt();
  expect(await runCli(["server", "restart", "--json"], restarting)).toBe(0);
  const second: { pid: number } = JSON.parse(restarting.out());
  pids.push(second.pid);
  expect(second.pid).not.toBe(first.pid);
  const stopping = contextAt();
  expect(await runCli(["server", "stop", "--json"], stopping)).toBe(0);
  expect(JSON.parse(stopping.out())).toEqual({ wasRunning: true, stopped: 3 });
  expect(await findServer(context.home)).toBeUndefined();
  // What is removed with its folder afterwards is not written to any more.
  expect(isRunning(second.pid)).toBe(false);
});

test.each([["restart"], ["stop"]])(
  "server %s does not take the server that somebody else starts in the same instant for the one that it has ended",
  async (verb) => {
    const { home } = contextAt();
    const replaced = [process.execPath, program, home.folder, home.socket, "replaced"];
    pids.push(await start(contextAt({ program: replaced })));
    // Who it is that stays is not looked at: it is told to be process 1.
    const context = contextAt();
    const ran = runCli(["server", verb, "--json"], context);
    await expect.poll(async () => (await findServer(home))?.pid, PATIENTLY).toBe(1);
    if (verb === "stop") for (const pid of pids) signalProcess(pid, "SIGKILL");
    expect(await ran).toBe(0);
    expect(JSON.parse(context.out())).toMatchObject(verb === "stop" ? { stopped: 3 } : { pid: 1 });
  },
);

test("server restart tells one that somebody else starts in between to leave too, where that does not listen as the one before", async () => {
  const { home } = contextAt();
  const replaced = [process.execPath, program, home.folder, home.socket, "replaced"];
  const { pid } = await startServer(contextAt({ program: replaced }), ["--listen", "0.0.0.0"]);
  pids.push(pid ?? 0);
  const context = contextAt();
  expect(await runCli(["server", "restart", "--json"], context)).toBe(0);
  const after = await findServer(home);
  pids.push(after?.pid ?? 0);
  expect(after?.pid).not.toBe(1);
  expect(after?.listenArguments).toEqual(["--listen", "0.0.0.0"]);
});

test("a server that was started while another was quicker ends: it does not take that one's place later", async () => {
  const { home } = contextAt();
  const patient = [process.execPath, program, home.folder, home.socket, "patient"];
  const late = path.join(home.folder, "late");
  // Whole or not at all: it may be read, or ended, at any moment.
  const waiting = [
    `const { renameSync, writeFileSync } = require("node:fs"), late = ${JSON.stringify(late)};`,
    'writeFileSync(late + ".new", String(process.pid)); renameSync(late + ".new", late);',
    "setInterval(() => {}, 1000);",
  ].join("\n");
  const first = start(contextAt({ program: patient }));
  const second = startServer(contextAt({ program: [process.execPath, "-e", waiting] }));
  expect((await second).pid).toBe(await first);
  const pid = Number(await readFile(late, "utf8"));
  pids.push(pid);
  await expect.poll(() => isRunning(pid), PATIENTLY).toBe(false);
});

test("the server gets no variable but those of the list, and the home as an absolute path", async () => {
  const context = contextAt({
    environment: {
      PATH: "/usr/bin:/bin",
      RAMET_MARK: "x.y.z",
      AWS_SECRET: "s",
      LC_ALL: "C",
      RAMET_HOME: "relative",
    },
  });
  await start(context);
  const seen: unknown = JSON.parse(
    await readFile(path.join(context.home.folder, "environment"), "utf8"),
  );
  expect(seen).toMatchObject({
    PATH: "/usr/bin:/bin",
    LC_ALL: "C",
    RAMET_HOME: context.home.folder,
  });
  expect(Object.keys(Object(seen))).not.toContain("RAMET_MARK");
  expect(Object.keys(Object(seen))).not.toContain("AWS_SECRET");
});

test("an empty RAMET_HOME is none", () => {
  expect(pickServerEnvironment({ RAMET_HOME: "", HOME: "/h" }, contextAt())).toEqual({
    HOME: "/h",
  });
});

test("a PostgreSQL of the user's own is named to the server as the user sees it", () => {
  const { home } = contextAt();
  const picked = (RAMET_POSTGRES_BIN: string): unknown =>
    pickServerEnvironment({ RAMET_POSTGRES_BIN }, { home, folder: "/home/ada" });
  expect(picked("pg/bin")).toEqual({ RAMET_POSTGRES_BIN: "/home/ada/pg/bin" });
  expect(picked("")).toEqual({});
});

test("a server that ends at once is a problem that shows its last words, not those of earlier ones", async () => {
  const context = contextAt({
    program: [process.execPath, "-e", "console.log('disk full'); process.exit(1)"],
  });
  await mkdir(context.home.folder);
  await writeAtomically(context.home.serverLog, "from last week\n");
  const failure = startServer(context);
  await expect(failure).rejects.toMatchObject({
    code: "server_failed",
    message: expect.stringContaining("disk full"),
  });
  await expect(failure).rejects.toMatchObject({
    message: expect.not.stringContaining("last week"),
  });
});

test("a home that is there keeps its mode", async () => {
  const context = contextAt();
  await mkdir(context.home.folder);
  await chmod(context.home.folder, 0o750);
  await start(context);
  expect((await stat(context.home.folder)).mode & 0o777).toBe(0o750);
});

test.each([
  ["below a file", ["server.cjs", "home"]],
  ["where a file is", ["server.cjs"]],
])("a home %s is one problem that says what to do", async (_, place) => {
  const home = path.join(folder, ...place);
  const context = captureContext(folder, { environment: { RAMET_HOME: home } });
  await expect(
    startServer({ ...context, home: { ...context.home, folder: home } }),
  ).rejects.toThrow(
    expect.objectContaining({
      code: "home_unusable",
      remedy: expect.stringContaining("RAMET_HOME"),
    }),
  );
});

test("starting can be stopped", async () => {
  const stop = new AbortController();
  const context = contextAt({
    program: [process.execPath, "-e", "process.exit(0)"],
    signal: stop.signal,
  });
  const starting = startServer(context);
  stop.abort(new DOMException("Stopped.", "AbortError"));
  await expect(starting).rejects.toMatchObject({ name: "AbortError" });
});
