import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { runProgram } from "../process/process.ts";
import { ENVIRONMENT, VARIABLES } from "./fixtures/answers.ts";
import { createWorld } from "./fixtures/world.ts";
import type { World } from "./fixtures/world.ts";

const START = path.join(import.meta.dirname, "..", "start.js");
const LIMIT_MS = 20_000;

const ANSWERS = {
  "app.list": [
    { name: "shop", environments: ["development", "agent"], createdAt: "2026-01-01" },
    { name: "desk", environments: ["other"], createdAt: "2026-01-01" },
  ],
  "environment.show": { ...ENVIRONMENT, processes: [...ENVIRONMENT.processes] },
  "variable.list": VARIABLES,
};

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

async function complete(...words: readonly string[]): Promise<string[]> {
  const { exitCode, out, err } = await world.ramet(["__complete", ...words]);
  expect([exitCode, err]).toEqual([0, ""]);
  return out.split("\n").filter((line) => line !== "");
}

async function valuesOf(...words: readonly string[]): Promise<(string | undefined)[]> {
  return (await complete(...words)).map((line) => line.split("\t")[0]);
}

test("first words are the commands and groups, with what they do", async () => {
  expect(await complete("logs")).toEqual(["logs\tShow what an environment's processes printed"]);
  expect(await complete("db")).toEqual(["db\turl, query, size, tunnel, psql"]);
  expect(await valuesOf("--json", "env", "st")).toEqual(["start", "stop"]);
  expect(await valuesOf("help", "va")).toEqual(["var"]);
});

test("flags are the command's own and the common ones, without those that were given", async () => {
  expect(await valuesOf("logs", "--f")).toEqual(["--follow"]);
  expect(await valuesOf("logs", "-f", "--f")).toEqual([]);
  expect(await valuesOf("logs", "--no")).toEqual(["--no-color"]);
});

test("names are those that the server has now, of the app that is meant", async () => {
  await world.serve(ANSWERS);
  await world.bind();
  expect(await valuesOf("env", "show", "")).toEqual(["development", "agent"]);
  expect(await valuesOf("env", "show", "--app", "desk", "")).toEqual(["other"]);
  expect(await valuesOf("env", "show", "--app=desk", "")).toEqual(["other"]);
  expect(await valuesOf("env", "list", "--app", "")).toEqual(["shop", "desk"]);
  expect(await valuesOf("logs", "--process=")).toEqual(["--process=web"]);
  expect(await valuesOf("logs", "-p", "w")).toEqual(["web"]);
});

test("a variable's name is completed and its value never", async () => {
  await world.serve(ANSWERS);
  await world.bind();
  expect(await complete("var", "get", "")).toEqual(["LOG_LEVEL", "STRIPE_KEY", "UNSET"]);
  expect(await complete("var", "delete", "UNSET", "L")).toEqual(["LOG_LEVEL"]);
  expect(await complete("var", "set", "S")).toEqual(["STRIPE_KEY="]);
});

test("no server is started for a word, and what is no command has none", async () => {
  await world.bind();
  expect(await complete("env", "show", "")).toEqual([]);
  expect(await complete("nonsense", "")).toEqual([]);
  expect(await complete("env", "nonsense", "")).toEqual([]);
  expect((await world.ramet(["server", "status"])).out).toContain("not running");
});

test("after -- and where a file is wanted the shell is told to name files", async () => {
  expect(await complete("run", "--", "")).toEqual([":files"]);
  expect(await complete("var", "import", "--from-file", "")).toEqual([":files"]);
  expect(await complete("var", "import", "--from-file=")).toEqual([]);
});

test("bash completes commands, names, flags' values and files", async () => {
  await world.serve(ANSWERS);
  await world.bind();
  await writeFile(path.join(world.workspace, "a file.env"), "");
  expect(await completeInBash("env sho")).toEqual(["show"]);
  expect(await completeInBash("env show ag")).toEqual(["agent"]);
  expect(await completeInBash("logs --process = ")).toEqual(["web"]);
  expect(await completeInBash("var import --from-file a")).toEqual(["a file.env"]);
});

test.each(["bash", "zsh", "fish"])("there is a script for %s", async (shell) => {
  const { out, exitCode } = await world.ramet(["completion", shell]);
  expect([exitCode, out.includes("__complete")]).toEqual([0, true]);
});

test("a shell that has no script is a problem that names those that have", async () => {
  expect(await world.json(["completion", "tcsh"])).toMatchObject({
    problem: { code: "argument_invalid", remedy: "Use bash, zsh or fish." },
  });
});

/** The last of the words, which bash would break at spaces and at `=`, is what is typed. */
async function completeInBash(words: string): Promise<string[]> {
  const ramet = path.join(world.folder, "ramet");
  await writeFile(ramet, `#!/bin/sh\nexec '${process.execPath}' '${START}' "$@"\n`);
  await chmod(ramet, 0o755);
  const script = `
    eval "$(ramet completion bash)"
    IFS=' ' read -r -a typed <<<"${words}"
    COMP_WORDS=(ramet "\${typed[@]}"${words.endsWith(" ") ? ' ""' : ""})
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _ramet
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const environment = {
    PATH: `${world.folder}:/usr/bin:/bin`,
    RAMET_HOME: world.contextAt().home.folder,
    HOME: world.folder,
  };
  const launch = { file: "bash", args: ["--norc", "-c", script], folder: world.workspace };
  const { stdout, stderr } = await runProgram(
    { ...launch, environment, user: null },
    { timeoutMs: LIMIT_MS },
  );
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}
