/** The preload that makes a Node program listen elsewhere than its code says. */
import { cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { moveOwnPort } from "../src/engine/processes/own-port.ts";
import { findFreePort } from "../src/process/process.ts";
import { NODE, useStage } from "./programs/process-stage.ts";

const ROOT = path.join(import.meta.dirname, "..");
const PRELOAD = path.join(ROOT, "bin", "own-port.cjs");
const PROGRAM = path.join(ROOT, "test", "programs", "names-its-port.mjs");

const stage = useStage();

type Ports = { readonly from: number; readonly to: number; readonly second: number };

test.each([
  ["number"],
  ["text"],
  ["host"],
  ["host and backlog"],
  ["options"],
  ["options of a class"],
  ["worker"],
])("a program that gives its port as %s listens on the other, and says so", async (form) => {
  const ports = await choosePorts();

  expect(await listen(ports, { FORM: form })).toEqual([ports.to, ports.second]);
  const others = await choosePorts();
  expect(await listenUnmoved(others, { FORM: form })).toEqual([others.from, others.second]);
});

test("a program's own NODE_OPTIONS stay", async () => {
  const ports = await choosePorts();
  const first = path.join(stage.folder(), "first.cjs");
  await writeFile(first, "process.env.FORM = 'options';");

  const told = { FORM: "unknown", NODE_OPTIONS: `--require ${first}` };

  expect(await listen(ports, told)).toEqual([ports.to, ports.second]);
});

test("a preload below a folder with spaces, quotes and backslashes is found", async () => {
  const folder = path.join(stage.folder(), 'its "own\\port"');
  await mkdir(folder);
  const preload = path.join(folder, "own port.cjs");
  await cp(PRELOAD, preload);
  const ports = await choosePorts();

  expect(await listen(ports, {}, { preload })).toEqual([ports.to, ports.second]);
});

test("a program that a shell and npm start is moved too", async () => {
  const ports = await choosePorts();
  const scripts = { start: `node '${PROGRAM}'` };
  await writeFile(path.join(stage.folder(), "package.json"), JSON.stringify({ scripts }));

  const command = ["/bin/sh", "-c", "npm run --silent start"];

  expect(await listen(ports, {}, { command })).toEqual([ports.to, ports.second]);
});

type Variables = Readonly<Record<string, string>>;
type How = { readonly preload?: string; readonly command?: readonly string[] };

/** The ports on which the program is, when it is told to move from the first to the other. */
async function listen(ports: Ports, variables: Variables, how: How = {}): Promise<unknown> {
  const { preload = PRELOAD, command } = how;
  return start(moveOwnPort(name(ports, variables), { ...ports, preload }), command);
}

async function listenUnmoved(ports: Ports, variables: Variables): Promise<unknown> {
  return start(name(ports, variables));
}

function name({ from, second }: Ports, variables: Variables): Variables {
  return { ...variables, OWN_PORT: String(from), SECOND_PORT: String(second) };
}

async function start(
  variables: Variables,
  [file = NODE, ...args]: readonly string[] = [NODE, PROGRAM],
): Promise<unknown> {
  const launch = stage.launch(file, ...args);
  const environment = { ...launch.environment, PATH: process.env["PATH"] ?? "", ...variables };
  const { line } = await stage.startAndHear({ ...launch, environment });
  return JSON.parse(line);
}

async function choosePorts(): Promise<Ports> {
  return {
    from: await findFreePort(),
    to: await findFreePort(),
    second: await findFreePort(),
  };
}
