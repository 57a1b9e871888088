import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { exists } from "../../src/base/remove-inside.ts";
import { environmentSchema, serverStatusSchema } from "../../src/protocol/schemas.ts";
import { openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let stage: Stage;
let app: string;

/** No database and no port: these are the commands that are about the server. */
beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "desk");
  await mkdir(app);
  const processes = { job: { command: "exec sleep 1000", port: false } };
  await writeFile(path.join(app, "ramet.json"), JSON.stringify({ database: false, processes }));
  await stage.json(app, ["init"]);
});
afterAll(async () => stage.close());

async function readPids(): Promise<readonly (number | null)[]> {
  const shown = environmentSchema.parse(await stage.json(app, ["env", "show"]));
  return shown.processes.map(({ pid }) => pid);
}

test("app list and app delete", async () => {
  const folder = path.join(stage.folder, "brief");
  await mkdir(folder);
  const manifest = { database: false, processes: { job: { command: "sleep 1000", port: false } } };
  await writeFile(path.join(folder, "ramet.json"), JSON.stringify(manifest));
  await stage.json(folder, ["init", "--app", "Brief"]);
  expect(await stage.json(app, ["app", "list"])).toEqual([
    {
      name: "desk",
      environments: ["development"],
      createdAt: expect.stringMatching(ISO_TIME),
    },
    { name: "brief", environments: ["development"], createdAt: expect.stringMatching(ISO_TIME) },
  ]);
  const refused = await stage.ramet(folder, ["app", "delete", "brief", "--json"]);
  expect(refused).toMatchObject({ exitCode: 2 });
  expect(refused.stdout).toContain("--force");
  expect(await stage.json(folder, ["app", "delete", "brief", "--force"])).toEqual({
    app: "brief",
    deleted: ["development"],
  });
  expect(await exists(path.join(folder, ".ramet"))).toBe(false);
  expect(await exists(path.join(folder, "ramet.json"))).toBe(true);
});

test("server status, restart and logs; environments go on through a restart", async () => {
  const before = await stage.json(app, ["server", "status"]);
  expect(before).toEqual({
    running: true,
    pid: expect.any(Number),
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    gatewayPort: expect.any(Number),
    databasePort: expect.any(Number),
    listenArguments: null,
    databaseSocket: expect.stringMatching(/\/\.s\.PGSQL\.\d+$/),
    home: stage.home,
    startedAt: expect.stringMatching(ISO_TIME),
  });
  expect(await stage.json(app, ["server", "start"])).toEqual(before);
  const pids = await readPids();

  const after = await stage.json(app, ["server", "restart"]);

  expect(after).toMatchObject({ running: true, home: stage.home });
  expect(serverStatusSchema.parse(after).pid).not.toBe(serverStatusSchema.parse(before).pid);
  expect(await readPids()).toEqual(pids);
  const lines = z.array(z.string()).parse(await stage.json(app, ["server", "logs"]));
  expect(lines.length).toBeGreaterThan(0);
  expect(await stage.json(app, ["server", "logs", "-n", "1"])).toEqual(lines.slice(-1));
});

test("doctor says what the machine gives and that nothing is left over", async () => {
  const report = await stage.json(app, ["doctor"]);
  expect(report).toMatchObject({ leftovers: [], fixed: [] });
  const { capabilities } = z
    .object({ capabilities: z.record(z.string(), z.union([z.boolean(), z.string(), z.number()])) })
    .parse(report);
  expect(capabilities).toMatchObject({
    platform: `${process.platform}-${process.arch}`,
    reflink: expect.any(Boolean),
    root: process.getuid?.() === 0,
  });
  expect((await stage.ramet(app, ["doctor"])).stdout).toContain("✓ none");
});

test("a folder without an owner is told by doctor with every key, and cleared by --fix", async () => {
  const shared = path.join(stage.home, "shared", "data");
  const data = (await exists(path.join(stage.home, "shared")))
    ? shared
    : path.join(stage.home, "data");
  const id = "aaaaaaaabbbbbbbb";
  await mkdir(path.join(data, id));
  const leftover = { kind: "folder", id, path: expect.stringContaining(id), pid: null };
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [leftover], fixed: [] });
  expect(await exists(path.join(data, id))).toBe(true);
  expect(await stage.json(app, ["doctor", "--fix"])).toMatchObject({
    leftovers: [],
    fixed: [leftover],
  });
  expect(await exists(path.join(data, id))).toBe(false);
});

test("version", async () => {
  const answer = await stage.json(app, ["version"]);
  const { version } = z.strictObject({ version: z.string() }).parse(answer);
  expect((await stage.ramet(app, ["--version"])).stdout).toBe(`${version}\n`);
  expect(await stage.json(app, ["server", "status"])).toMatchObject({ version });
});

test("the help of every command says how it is used and names its options, and of none is an error", async () => {
  const commands = z
    .array(
      z.object({
        name: z.string(),
        summary: z.string(),
        options: z.record(z.string(), z.unknown()),
      }),
    )
    .parse(await stage.json(app, ["help"]));
  expect(commands.length).toBeGreaterThan(30);
  for (const { name, summary, options } of commands) {
    const ran = await stage.ramet(app, [...name.split(" "), "--help"]);
    expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ran.stdout).toContain(summary);
    expect(ran.stdout).toContain(`ramet ${name}`);
    for (const option of Object.keys(options)) expect(ran.stdout).toContain(`--${option}`);
  }
  for (const argv of [
    [],
    ["help"],
    ["--help"],
    ["env"],
    ["env", "--help"],
    ["help", "env", "create"],
  ])
    expect(await stage.ramet(app, argv)).toMatchObject({ exitCode: 0, stderr: "" });
});
