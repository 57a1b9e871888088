import { readFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";

import { afterEach, beforeEach, expect, test } from "vitest";

import { git } from "../../../test/git.ts";
import { exists } from "../../base/remove-inside.ts";
import { writeAtomically } from "../../base/write-atomically.ts";
import { runCli } from "../cli.ts";
import { CREATED } from "../fixtures/answers.ts";
import type { CapturedContext } from "../fixtures/context.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";
import { findWithAnswers, offerToWrite } from "../session/adoption.ts";
import { Session } from "../session/session.ts";

let world: World;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const PACKAGE = { name: "desk", scripts: { dev: "vite", seed: "node seed.js" } };

async function put(name: string, value: unknown): Promise<void> {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  await writeAtomically(path.join(world.workspace, name), text);
}

async function serve(): Promise<Awaited<ReturnType<World["serve"]>>> {
  const files = { kind: "linked", path: world.workspace };
  return world.serve({ "app.create": { ...CREATED, app: "desk", files } });
}

/** A person at a terminal who types these lines, one to each question. */
function typing(...lines: readonly string[]): CapturedContext {
  const context = world.contextAt({ environment: { NO_COLOR: "1" } });
  const rest = [...lines];
  const open = (): Readable => Readable.from([Buffer.from(rest.shift() ?? "")]);
  const stderr = { ...context.stderr, isTerminal: true };
  return { ...context, stderr, stdin: { isTerminal: true, open } };
}

async function readWritten(): Promise<unknown> {
  return JSON.parse(await readFile(path.join(world.workspace, "ramet.json"), "utf8"));
}

const WRITTEN = {
  app: "desk",
  processes: {
    web: { command: "npm run dev -- --port $PORT --strictPort --host $HOST", reload: true },
  },
  database: { kind: "postgres", seed: "npm run seed" },
  files: { clone: ["node_modules"] },
};

test("init --yes writes what it found, under the name that the app gets, and creates the app", async () => {
  await put("package.json", PACKAGE);
  const { calls } = await serve();
  const ran = await world.ramet(["init", "--yes", "--app", "Shop"]);
  expect(ran).toMatchObject({ exitCode: 0 });
  expect(ran.err).toContain("Found in package.json (dev):");
  expect(ran.err).toContain("✓ ramet.json written");
  expect(await readWritten()).toEqual({ ...WRITTEN, app: "shop" });
  expect(calls[0]).toMatchObject({ name: "app.create", input: { app: "shop" } });
});

test("without a terminal and without --yes nothing is written, and the app is made all the same", async () => {
  await put("package.json", PACKAGE);
  await serve();
  expect(await world.json(["init"])).toMatchObject({ app: "desk" });
  expect(await exists(path.join(world.workspace, "ramet.json"))).toBe(false);
});

test.each(["\n", "y\n", "YES\n"])("at a terminal the answer %j writes it", async (answer) => {
  await put("package.json", PACKAGE);
  await serve();
  const context = typing(answer);
  expect(await runCli(["init"], context)).toBe(0);
  expect(context.err()).toContain("Write this to ramet.json? [Y/n]");
  expect(await readWritten()).toEqual(WRITTEN);
});

test.each(["n\n", "no\n", "what\n", ""])(
  "at a terminal the answer %j writes nothing",
  async (answer) => {
    await put("package.json", PACKAGE);
    await serve();
    expect(await runCli(["init"], typing(answer))).toBe(0);
    expect(await exists(path.join(world.workspace, "ramet.json"))).toBe(false);
  },
);

const FORK = "git worktree add ../x && cd ../x && ramet env create x --use";
const COMMIT = "git add ramet.json && git commit -m 'Add ramet.json'";

test.each([
  ["outside git a copy is offered", false, ["ramet env create x"]],
  ["in git the new file is committed first", true, [COMMIT, FORK]],
])("%s as the next thing to do", async (_what, isInGit, lines) => {
  await put("package.json", PACKAGE);
  if (isInGit) await git(world.workspace, "init", "--quiet");
  await serve();
  const context = typing("y\n");
  const stdout = { ...context.stdout, isTerminal: true };
  expect(await runCli(["init"], { ...context, stdout })).toBe(0);
  const hints = [...context.err().matchAll(/^ +→ (.*?)(?: {2}.*)?$/gm)];
  expect(hints.map(([, line]) => line)).toEqual(lines);
});

test("what did not come up is no reason to fork it", async () => {
  await put("package.json", PACKAGE);
  const problem = { code: "process_exited", message: "web exited.", remedy: "Look." };
  const processes = [{ name: "web", state: "failed", port: 4000, pid: null }];
  await world.serve({ "app.create": { ...CREATED, processes, problems: [problem] } });
  const context = typing("y\n");
  const stdout = { ...context.stdout, isTerminal: true };
  expect(await runCli(["init"], { ...context, stdout })).toBe(2);
  expect(context.out()).toContain("! shop/agent is there, but this does not run: web\n");
  expect(context.out()).toContain("✗ web exited.");
  expect(context.err()).not.toContain("git worktree");
});

test("a ramet.json that is there is neither shown nor changed, but for what it says in vain", async () => {
  await put("ramet.json", '{"processes":{"web":{"command":"x"}},"api":false}');
  await serve();
  const ran = await world.ramet(["init", "--yes"]);
  expect(ran.err).toContain("ramet.json says api, on which this version does not act yet.");
  expect(ran.err).not.toContain("Found in");
  expect(await readWritten()).toEqual({
    processes: { web: { command: "x" } },
    api: false,
  });
});

test("two lock files are a question, and the answer is written down", async () => {
  await put("package.json", { ...PACKAGE, dependencies: { vite: "8" } });
  await put("package-lock.json", "{}");
  await put("yarn.lock", "");
  await serve();
  expect(await world.json(["init"])).toMatchObject({
    problem: { code: "detection_ambiguous", remedy: expect.stringContaining('"setup"') },
  });
  const context = typing("1\n", "y\n");
  expect(await runCli(["init"], context)).toBe(0);
  expect(context.err()).toContain("which of yarn, npm installs the packages?");
  expect(context.err()).toContain("  1  yarn\n  2  npm\n");
  expect(await readWritten()).toMatchObject({
    setup: "yarn install --frozen-lockfile",
    processes: { web: { command: expect.stringContaining("yarn run dev") } },
  });
});

test("a folder that may not be changed is a problem, and no mistake of ours", async () => {
  await put("package.json", PACKAGE);
  const parsed = { values: new Map(), positionals: new Map(), rest: [] };
  const session = new Session(world.contextAt(), { ...parsed, flags: new Set() });
  const found = await findWithAnswers(session, world.workspace);
  if (found === undefined) throw new Error("Nothing was found.");
  // One that root may not change either.
  const folder = process.platform === "darwin" ? "/System" : "/sys";
  await expect(
    offerToWrite(session, found, { folder, app: "desk", isYes: true }),
  ).rejects.toMatchObject({ code: "file_unwritable" });
});

test.each([
  ["names no choice", ["bower\n"], "✗ That is none of yarn, npm. Nothing was changed."],
  ["is written nowhere", ["npm\n", "n\n"], "✗ Nothing was changed."],
])("an answer that %s makes nothing", async (_what, lines, said) => {
  await put("package.json", { ...PACKAGE, dependencies: { vite: "8" } });
  await put("package-lock.json", "{}");
  await put("yarn.lock", "");
  const { calls } = await serve();
  const context = typing(...lines);
  expect(await runCli(["init"], context)).toBe(2);
  expect(context.err()).toContain(said);
  expect(calls).toEqual([]);
});

test("detect says what was found and why, without a server and without a change", async () => {
  await put("package.json", { ...PACKAGE, dependencies: { vite: "8", pg: "8" } });
  await put("pnpm-lock.yaml", "");
  await put(".env.example", "PGHOST=\nSTRIPE_KEY=\n");
  const { out, err, exitCode } = await world.ramet(["detect"]);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  expect(out).toContain("desk  from package.json (dev)");
  expect(out).toContain("pnpm run dev --port $PORT --strictPort --host $HOST");
  expect(out).toContain("framework: Vite  ← package.json, scripts.dev");
  expect(out).toContain("package manager: pnpm  ← pnpm-lock.yaml");
  expect(out).toContain("! .env.example leaves STRIPE_KEY empty");
  expect(out).toContain('"PGHOST": "$DATABASE_HOST"');
  expect(await exists(path.join(world.workspace, "ramet.json"))).toBe(false);
  expect(await exists(world.contextAt().home.folder)).toBe(false);
});

test("detect --json is the whole of it, and the file that it would write is valid", async () => {
  await put("package.json", PACKAGE);
  const { file, ...others }: { file: string } = Object(await world.json(["detect"]));
  expect(others).toMatchObject({
    folder: world.workspace,
    name: "desk",
    manifest: { processes: { web: { port: true } }, source: "package.json (dev)" },
    findings: expect.arrayContaining([
      { about: "seed", value: "npm run seed", file: "package.json", key: "scripts.seed" },
    ]),
    warnings: [],
  });
  expect(JSON.parse(file)).toEqual(WRITTEN);
  await put("ramet.json", file);
  expect(await world.json(["detect"])).toMatchObject({ file: null, findings: [] });
});

test.each<[what: string, files: Readonly<Record<string, unknown>>, code: string]>([
  ["nothing", {}, "nothing_detected"],
  ["a library", { "package.json": { name: "x" } }, "app_no_command"],
  ["a script that ends", { "package.json": { scripts: { dev: "tsc" } } }, "app_script_ends"],
  ["broken JSON", { "package.json": "{" }, "manifest_invalid"],
])("detect in a folder with %s is one problem", async (_what, files, code) => {
  for (const [name, value] of Object.entries(files)) await put(name, value);
  expect(await world.json(["detect"])).toMatchObject({ problem: { code } });
});
