import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { findFreePort, isRunning } from "../../src/process/process.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { directUrl } from "./direct.ts";
import { killHard, listProcesses, show } from "./machine.ts";
import { eventually, fetchText, openStage, ROOT } from "./stage.ts";
import type { Stage } from "./stage.ts";

const PROGRAMS = path.join(ROOT, "test", "programs");
const LIMIT_MS = 60_000;

let stage: Stage;
let home: string;

/** No app here has a database: they are about processes. */
beforeAll(async () => {
  stage = await openStage();
  home = await createApp("well", { web: { command: program("serves.mjs") } });
  await stage.json(home, ["init", "--app", "well"]);
}, 120_000);
afterAll(async () => stage.close());

function program(name: string, variables = ""): string {
  return `${variables} exec ${name.endsWith(".sh") ? "sh" : "node"} '${path.join(PROGRAMS, name)}'`;
}

async function createApp(name: string, processes: unknown): Promise<string> {
  const folder = path.join(stage.folder, name);
  await mkdir(folder);
  // The programs lie outside the tree, and say which pids they have.
  const manifest = JSON.stringify({ processes, database: false, isolation: "off" });
  await writeFile(path.join(folder, "ramet.json"), manifest);
  return folder;
}

/** An app of its own for each hostile program. The exit code says whether anything of it runs. */
async function init(name: string, processes: unknown): Promise<EnvironmentView> {
  const folder = await createApp(name, processes);
  const { stdout, exitCode } = await stage.ramet(folder, ["init", "--app", name, "--json"]);
  const made = environmentSchema.parse(JSON.parse(stdout));
  const isAllFallen = made.processes.every(({ state }) => /^(failed|restarting)$/.test(state));
  expect(exitCode).toBe(isAllFallen ? 2 : 0);
  return made;
}

async function showApp(name: string): Promise<EnvironmentView> {
  return show(stage, path.join(stage.folder, name), "development");
}

async function deleteApp(name: string): Promise<void> {
  await stage.json(home, ["app", "delete", name, "--force"]);
  expect(await stage.json(home, ["doctor"])).toMatchObject({ leftovers: [] });
}

async function readStray(name: string): Promise<number> {
  return eventually(async () => {
    const { stdout } = await stage.ramet(path.join(stage.folder, name), ["logs"]);
    const pid = Number(/stray (\d+)/.exec(stdout)?.[1]);
    expect(isRunning(pid)).toBe(true);
    return pid;
  }, LIMIT_MS);
}

test("a process that crashes is started again, and its log says so", async () => {
  await init("crashes", { web: { command: program("serves-then-crashes.mjs") } });
  const before = await showApp("crashes");
  const first = before.processes[0]?.pid;
  await fetchText(`${await directUrl(stage, before)}crash`).catch((error: unknown) => error);

  await eventually(async () => {
    const { processes } = await showApp("crashes");
    expect(processes).toMatchObject([{ state: "ready" }]);
    expect(processes[0]?.pid).not.toBe(first);
  }, LIMIT_MS);
  expect((await fetchText(await directUrl(stage, await showApp("crashes")))).text).toBe("well");
  const { stdout } = await stage.ramet(path.join(stage.folder, "crashes"), ["logs"]);
  expect(stdout).toContain("it was asked to crash");
  expect(stdout).toContain("is started again in");
  await deleteApp("crashes");
});

test("a process that fails at once is tried again with longer pauses, and shows why; create has answered, and start tries at once", async () => {
  const command = `[ -e mended ] || ${program("exits-at-once.sh")}; ${program("serves.mjs")}`;
  const made = await init("hopeless", { web: { command } });
  expect(made.state).toBe("awake");
  expect(made.problems).toMatchObject([
    { code: "process_exited", message: expect.stringContaining("cannot find module 'shop'") },
  ]);
  await eventually(async () => {
    expect((await showApp("hopeless")).processes).toMatchObject([{ state: "restarting" }]);
  });
  await eventually(async () => {
    const { stdout } = await stage.ramet(path.join(stage.folder, "hopeless"), ["logs"]);
    const pauses = [...stdout.matchAll(/is started again in ([\d.]+) s/g)].map(([, s]) =>
      Number(s),
    );
    expect(pauses.slice(0, 3)).toEqual([0.5, 1, 2]);
  }, LIMIT_MS);
  const { text, status } = await fetchText(made.url ?? "", { accept: "application/json" });
  expect(status).toBe(503);
  expect(text).toContain("cannot find module");
  const folder = path.join(stage.folder, "hopeless");
  await writeFile(path.join(folder, "mended"), "");
  expect(await stage.json(folder, ["env", "start"])).toMatchObject({
    processes: [{ state: "ready" }],
  });
  await deleteApp("hopeless");
});

test("a process that ignores SIGTERM is ended all the same, by stop and by delete", async () => {
  const made = await init("stubborn", {
    jobs: { command: program("ignores-sigterm.mjs"), port: false },
  });
  await eventually(async () => {
    const { stdout } = await stage.ramet(path.join(stage.folder, "stubborn"), ["logs"]);
    expect(stdout).toContain("up");
  }, LIMIT_MS);
  await stage.json(path.join(stage.folder, "stubborn"), ["env", "stop"]);
  expect(await listProcesses(stage, made.id)).toEqual([]);

  await stage.json(path.join(stage.folder, "stubborn"), ["env", "start"]);
  expect(await listProcesses(stage, made.id)).not.toEqual([]);
  await deleteApp("stubborn");
  expect(await listProcesses(stage, made.id)).toEqual([]);
});

test("a daemon that fled its process's group and session is gone after stop, and after delete", async () => {
  await init("flees", { jobs: { command: program("flees.mjs"), port: false } });
  const first = await readStray("flees");
  await stage.json(path.join(stage.folder, "flees"), ["env", "stop"]);
  expect(isRunning(first)).toBe(false);

  await stage.json(path.join(stage.folder, "flees"), ["env", "start"]);
  const second = await eventually(async () => {
    const pid = await readLastStray();
    expect(pid).not.toBe(first);
    return pid;
  }, LIMIT_MS);
  await deleteApp("flees");
  expect(isRunning(second)).toBe(false);
});

async function readLastStray(): Promise<number> {
  const { stdout } = await stage.ramet(path.join(stage.folder, "flees"), ["logs"]);
  return Number(
    stdout
      .match(/stray \d+/g)
      ?.at(-1)
      ?.slice("stray ".length),
  );
}

test("a daemon that fled is gone too when its keeper was killed", async () => {
  const made = await init("flees-far", { jobs: { command: program("flees.mjs"), port: false } });
  const stray = await readStray("flees-far");
  const keepers = (await listProcesses(stage, made.id)).filter(({ role }) =>
    role.endsWith("keeper"),
  );
  await killHard(keepers.map(({ pid }) => pid));
  await eventually(async () => expect(isRunning(stray)).toBe(false), LIMIT_MS);
  await eventually(async () => {
    expect(await showApp("flees-far")).toMatchObject({
      state: "awake",
      processes: [{ state: "ready" }],
    });
  }, LIMIT_MS);
  await deleteApp("flees-far");
});

test("a process that never opens its port is failed with a clear problem, and runs on; create has answered", async () => {
  const web = { command: program("never-listens.mjs"), ready: { http: "/", timeout: 1 } };
  const made = await init("silent", { web });
  expect(made).toMatchObject({ state: "awake", processes: [{ state: "failed" }] });
  expect(made.problems).toMatchObject([
    {
      code: "process_not_ready",
      message: expect.stringMatching(/web runs, but was not ready on its port \d+ within 1 s/),
      remedy: expect.stringContaining("$PORT"),
    },
  ]);
  const { status, text } = await fetchText(made.url ?? "", { accept: "application/json" });
  expect({ status, code: text.includes("process_not_ready") }).toEqual({ status: 503, code: true });
  expect(isRunning(made.processes[0]?.pid ?? 0)).toBe(true);
  await deleteApp("silent");
});

test("a process that listens on another port than it was told is found there", async () => {
  const port = await findFreePort();
  const made = await init("elsewhere", {
    web: { command: program("serves-elsewhere.mjs", `OTHER_PORT=${port}`) },
  });
  await eventually(async () => {
    expect(await showApp("elsewhere")).toMatchObject({ processes: [{ state: "ready", port }] });
  }, LIMIT_MS);
  expect(await fetchText(made.url ?? "")).toMatchObject({ status: 200, text: "elsewhere" });
  await deleteApp("elsewhere");
});

test("one process that fails leaves its siblings and its neighbours alone", async () => {
  const made = await init("siblings", {
    web: { command: program("serves.mjs") },
    jobs: { command: program("exits-at-once.sh"), port: false },
  });
  const [web] = made.processes;
  await eventually(async () => {
    const { stdout } = await stage.ramet(path.join(stage.folder, "siblings"), ["logs"]);
    expect(stdout.match(/cannot find module/g)?.length).toBeGreaterThan(1);
  }, LIMIT_MS);
  expect((await showApp("siblings")).processes[0]).toEqual(web);
  expect(await showApp("well")).toMatchObject({ state: "awake", problems: [] });
  await deleteApp("siblings");
});

test("logs rotate: a process that prints without end fills no disk", async () => {
  const made = await init("loud", {
    jobs: { command: program("prints-100-mb.mjs", "MEGABYTES=25"), port: false },
  });
  const data = path.join(stage.home, "data", made.id, "logs");
  const logs = await readdir(data).then(
    () => data,
    () => path.join(stage.home, "shared", "data", made.id, "logs"),
  );
  await eventually(async () => {
    const { stdout } = await stage.ramet(path.join(stage.folder, "loud"), ["logs"]);
    expect(stdout).toContain("exited with code 0");
  }, 120_000);
  const names = (await readdir(logs)).filter((name) => name.startsWith("jobs"));
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(path.join(logs, name))).size),
  );
  expect(names.length).toBeLessThanOrEqual(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(33 * 1024 * 1024);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(1024 * 1024);
  await deleteApp("loud");
}, 180_000);
