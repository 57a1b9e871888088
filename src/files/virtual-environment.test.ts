import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { writeAtomically } from "../base/write-atomically.ts";
import { bringFiles, fillSpare, findOwner, moveSpare, renewSpare, surveySpare } from "./files.ts";

let root = "";
let source = "";
let target = "";

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "ramet-venv-")));
  source = path.join(root, "source");
  target = path.join(root, "target");
  await mkdir(target);
  await put(
    ".venv/pyvenv.cfg",
    `home = /usr/bin\ncommand = /usr/bin/python3 -m venv ${source}/.venv\n`,
  );
  await put(".venv/bin/greet", `#!${source}/.venv/bin/sh\necho "$0 by ${source}-not"\n`, 0o755);
  await symlink("/bin/sh", path.join(source, ".venv/bin/sh"));
  await put(".venv/lib/python3.11/site-packages/own.pth", `${source}/src\n`);
  await put(".venv/lib/python3.11/site-packages/own.py", `WHERE = "${source}/src"\n`);
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function put(name: string, text: string, mode = 0o644): Promise<void> {
  const file = path.join(source, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeAtomically(file, text, { mode });
}

async function read(name: string): Promise<string> {
  return readFile(path.join(target, ".venv", name), "utf8");
}

async function expectMoved(): Promise<void> {
  await rm(source, { recursive: true });
  const { stdout } = await promisify(execFile)(path.join(target, ".venv/bin/greet"));
  expect(stdout).toBe(`${target}/.venv/bin/greet by ${source}-not\n`);
  expect(await read("pyvenv.cfg")).toContain(`venv ${target}/.venv\n`);
  const packages = "lib/python3.11/site-packages";
  expect(await read(`${packages}/own.pth`)).toBe(`${target}/src\n`);
  expect(await read(`${packages}/own.py`)).toBe(`WHERE = "${source}/src"\n`);
}

test("a program of a fork's virtual environment ran the source's Python, and installed into its packages", async () => {
  await promisify(execFile)("git", ["init", "-q", source]);
  await bringFiles({ source, target, clone: [".venv"], user: null });
  await expectMoved();
});

test("the same in one that was copied ahead", async () => {
  const folder = path.join(root, "spare");
  await mkdir(folder);
  const place = { folder, root: source, name: ".venv" };
  await surveySpare(place, Date.now());
  const owner = findOwner(null);
  await fillSpare(place, { pause: () => Promise.resolve(), owner });
  const use = { source, target, name: ".venv", user: null };
  expect(await renewSpare({ folder, owner }, use)).toBe(true);
  await moveSpare(folder, use);
  await expectMoved();
});
