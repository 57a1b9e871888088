import { once } from "node:events";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { ENVIRONMENT, LINE } from "./cli/fixtures/answers.ts";
import { openAnsweringServer, send } from "./cli/fixtures/call-server.ts";
import type { AnsweringServer } from "./cli/fixtures/call-server.ts";
import { captureContext, createFolder, removeFolder } from "./cli/fixtures/context.ts";
import { runProgram, signalProcess, startPiped } from "./process/process.ts";
import type { Launch, ProgramResult } from "./process/process.ts";
import { bindWorkspace } from "./workspace/workspace.ts";

const MAIN = path.join(import.meta.dirname, "main.ts");

let folder: string;
let server: AnsweringServer | undefined;

beforeEach(async () => {
  folder = await createFolder();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await removeFolder(folder);
});

function launch(...argv: readonly string[]): Launch {
  const environment = { PATH: process.env["PATH"] ?? "", RAMET_HOME: path.join(folder, "home") };
  return { file: process.execPath, args: [MAIN, ...argv], folder, environment, user: null };
}

function ramet(...argv: readonly string[]): Promise<ProgramResult> {
  return runProgram(launch(...argv), { timeoutMs: 30_000 });
}

/** A server whose streams never end of themselves. */
async function serveStream(onCall: () => void): Promise<void> {
  const { home } = captureContext(folder);
  await bindWorkspace(folder, {
    app: "shop",
    environment: ENVIRONMENT.name,
    id: "abcdefghijklmnop",
    home: home.folder,
  });
  server = await openAnsweringServer(home, ({ name }, response) => {
    if (name === "environment.show") return send(response, { result: ENVIRONMENT });
    if (name !== "environment.logs") return send(response, { result: {} });
    response.write(`${JSON.stringify({ line: LINE })}\n`);
    return onCall();
  });
}

test("the program prints to the right streams and ends with the right code", async () => {
  expect(await ramet("--version")).toMatchObject({ exitCode: 0, stderr: "" });
  const { exitCode, stdout, stderr } = await ramet("env", "crate");
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain("ramet env create");
});

test("a home is found from the environment, and its server asked", async () => {
  await serveStream(() => undefined);
  const { stdout } = await ramet("server", "logs", "--json");
  expect(JSON.parse(stdout)).toEqual([]);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends a followed log with 0", async (signal) => {
  const called = Promise.withResolvers<void>();
  await serveStream(called.resolve);
  const { pid, stdout, exited } = await startPiped(launch("logs", "-f", "--json"));
  await called.promise;
  const [chunk] = await once(stdout, "data");
  expect(JSON.parse(String(chunk))).toEqual(LINE);
  signalProcess(pid, signal);
  expect(await exited).toMatchObject({ exitCode: 0, signal: null });
});

test("a reader that goes away ends the program without a word", async () => {
  const result = await runProgram(
    { ...launch(), file: "sh", args: ["-c", `"$0" "$1" help | true`, process.execPath, MAIN] },
    { timeoutMs: 30_000 },
  );
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
});

test("a stopped command that has nothing to finish ends as a shell would say it", async () => {
  const called = Promise.withResolvers<void>();
  const { home } = captureContext(folder);
  server = await openAnsweringServer(home, () => called.resolve());
  const { pid, exited } = await startPiped(launch("app", "list"));
  await called.promise;
  signalProcess(pid, "SIGINT");
  expect(await exited).toMatchObject({ exitCode: 130, signal: null });
});

test("a mistake of ours in a command never looks like success", async () => {
  const { home } = captureContext(folder);
  server = await openAnsweringServer(home, (_call, response) =>
    send(response, { bug: "x is undefined" }),
  );
  const { exitCode, stderr } = await ramet("app", "list");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("This is a mistake in Ramet: x is undefined");
});
