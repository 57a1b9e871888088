import { once } from "node:events";
import { readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";

import { messageOf } from "../../src/base/problem.ts";
import { exists } from "../../src/base/remove-inside.ts";
import { isPortFree, isRunning } from "../../src/process/process.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { directUrl } from "./direct.ts";
import {
  killHard,
  killServer,
  listProcesses,
  requirePid,
  requireServer,
  reservePorts,
  show,
  watchAnswers,
} from "./machine.ts";
import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** Says who answers, over one database connection that it holds open for its whole life; and echoes on a WebSocket. */
const SERVER = `
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import pg from "pg";
import { WebSocketServer } from "ws";

const life = randomUUID();
const held = new pg.Client({ connectionString: process.env.DATABASE_URL });
held.on("error", () => process.exit(1));
await held.connect();
const server = createServer(async (request, response) => {
  const { rows } = await held.query("select pg_backend_pid() as session, (select count(*)::int from notes) as notes");
  response.end(JSON.stringify({ environment: process.env.RAMET_ENV, life, ...rows[0] }));
});
new WebSocketServer({ server }).on("connection", (socket) =>
  socket.on("message", (text) => socket.send(life + " " + text)),
);
server.listen(Number(process.env.PORT), process.env.HOST);
`;

const answer = z.object({
  environment: z.string(),
  /** Of the process, from its start on. */
  life: z.string(),
  /** The database's own process that serves the held connection. */
  session: z.number(),
  notes: z.literal(1000),
});

const manifestSchema = z.looseObject({ database: z.looseObject({}) });

let stage: Stage;
let app: string;
let url: string;
let development: EnvironmentView;

beforeAll(async () => {
  stage = await openStage();
  await reservePorts(stage);
  app = await stage.copyApp("notes", ["pg", "ws"]);
  await writeFile(path.join(app, "server.mjs"), SERVER);
  await forkByCopying(path.join(app, "ramet.json"));
  development = environmentSchema.parse(await stage.json(app, ["init"]));
  url = development.url ?? "";
}, 120_000);
afterAll(async () => stage.close());

/** A standby is there before the fork that it becomes: the moments of a create below would be over when it begins. */
async function forkByCopying(file: string): Promise<void> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(file, "utf8")));
  await writeFile(
    file,
    JSON.stringify({ ...manifest, database: { ...manifest.database, warm: 0 } }),
  );
}

async function ask(at: string): Promise<z.infer<typeof answer>> {
  return answer.parse(await fetchJson(at));
}

async function openSocket(at: string): Promise<WebSocket> {
  const { host, port } = new URL(at);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host } });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("open", resolve).once("error", reject);
  await promise;
  return socket;
}

async function echo(socket: WebSocket, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.once("message", (bytes: Buffer) => resolve(bytes.toString("utf8"))).once("close", reject);
  socket.send(text);
  return promise;
}

test.each([
  // Who is cut by a server that leaves finds the next one there.
  ["server restart", async () => void (await stage.json(app, ["server", "restart"])), /^welcome$/],
  ["kill -9 of the server", async () => killServer(stage, app), /^welcome$|ECONNRE(FUSED|SET)/],
])("%s interrupts nobody: same processes, same sessions, same addresses", async (...row) => {
  const [, interrupt, welcome] = row;
  const before = await ask(url);
  const server = await requireServer(stage, app);
  const direct = await directUrl(stage, await show(stage, app, "development"));
  const socket = await openSocket(direct);
  const held = await openSocket(url);
  // As a page does that finds its WebSocket cut: at once, and once.
  const returned = once(held, "close").then(async () => openSocket(url).catch(messageOf));
  const watch = watchAnswers(direct);

  await interrupt();
  const after = await requireServer(stage, app);

  expect(after.pid).not.toBe(server.pid);
  expect({ ...after, pid: 0, startedAt: "" }).toEqual({ ...server, pid: 0, startedAt: "" });
  expect(await ask(url)).toEqual(before);
  expect(await watch.stop()).toEqual([JSON.stringify(before)]);
  expect(await echo(socket, "still here")).toBe(`${before.life} still here`);
  socket.close();

  const again = await returned;
  expect(again instanceof WebSocket ? "welcome" : again).toMatch(welcome);
  const through = again instanceof WebSocket ? again : await openSocket(url);
  expect(await echo(through, "again")).toBe(`${before.life} again`);
  through.close();
  expect(await show(stage, app, "development")).toMatchObject({ state: "awake", problems: [] });
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});

test("what a new server took up it also ends, and wakes again", async () => {
  const before = await ask(url);
  const { processes } = await show(stage, app, "development");
  await killServer(stage, app);
  await stage.json(app, ["env", "stop", "development"]);
  expect(processes.filter(({ pid }) => pid !== null && isRunning(pid))).toEqual([]);
  expect(await listProcesses(stage)).toEqual([]);
  expect((await ask(url)).life).not.toBe(before.life);
});

test("commands at one moment that all find no server start one", async () => {
  await killServer(stage, app);
  const before = await countServes();
  await Promise.all(
    [1, 2, 3, 4].map(async () => expect(await stage.json(app, ["env", "list"])).toHaveLength(1)),
  );
  expect(await countServes()).toBe(before + 1);
});

/** How many servers of this home ever served. */
async function countServes(): Promise<number> {
  const { stdout } = await stage.ramet(app, ["server", "logs"]);
  return stdout.match(/^.*\bServing /gm)?.length ?? 0;
}

test("kill -9 of one environment's database or keeper is nothing to its neighbours, and it is mended", async () => {
  const other = environmentSchema.parse(await stage.json(app, ["env", "create", "other"]));
  const direct = await directUrl(stage, other);
  const neighbour = await ask(direct);
  const watch = watchAnswers(direct);

  for (const role of ["database", "runtime.keeper"]) {
    const before = await ask(url);
    await killHard([await requirePid(stage, development, role)]);
    await eventually(async () => expect((await ask(url)).session).not.toBe(before.session), 60_000);
  }

  expect(await watch.stop()).toEqual([JSON.stringify(neighbour)]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  await stage.json(app, ["env", "delete", "other", "--force"]);
});

test("after a power cut everything sleeps, and the next request wakes it with its rows", async () => {
  const { pid } = await requireServer(stage, app);
  const all = await listProcesses(stage);
  await killHard([pid ?? 0, ...all.map((one) => one.pid)]);
  expect(await exists(path.join(stage.home, "server.lock"))).toBe(true);

  expect(await stage.json(app, ["env", "list"])).toMatchObject([{ state: "asleep", problems: [] }]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  expect(await ask(url)).toMatchObject({ environment: "development" });
});

test("server stop ends all, whoever asks for an environment meanwhile, and wakes nothing by itself", async () => {
  const { gatewayPort, databasePort } = await requireServer(stage, app);
  const watch = watchAnswers(url);
  expect(await stage.json(app, ["server", "stop"])).toMatchObject({ stopped: 1 });
  await watch.stop();

  expect(await listProcesses(stage)).toEqual([]);
  for (const port of [gatewayPort, databasePort]) expect(await isPortFree(port ?? 0)).toBe(true);
  expect(await exists(path.join(stage.home, "server.lock"))).toBe(false);

  expect(await show(stage, app, "development")).toMatchObject({ state: "asleep", url });
  expect(await listProcesses(stage)).toEqual([]);
  await ask(url);
});

/** Moments of a create, by what is there already. */
const MOMENTS: readonly [string, (before: readonly string[]) => Promise<boolean>][] = [
  ["its folder is there", async (before) => (await listData()).some((id) => !before.includes(id))],
  ["its keeper runs", async (before) => (await countRoles(before, "runtime.keeper")) > 0],
  ["its database runs", async (before) => (await countRoles(before, "database")) > 0],
  ["its record is there", async () => isRecorded("victim")],
];

test.each(MOMENTS)(
  "server stop while an environment is made and %s leaves nothing running",
  async (_, isReached) => {
    await ask(url);
    const before = await listData();
    const making = stage.ramet(app, ["env", "create", "victim", "--json"]);
    await Promise.race([
      eventually(async () => expect(await isReached(before)).toBe(true)),
      // One that is over without having come to it says why.
      making.then(async ({ stdout }) =>
        expect((await isReached(before)) ? "reached" : stdout).toBe("reached"),
      ),
    ]);
    expect(await stage.ramet(app, ["server", "stop"])).toMatchObject({ exitCode: 0 });
    expect(await listProcesses(stage)).toEqual([]);

    const { exitCode, stdout } = await making;
    expect(exitCode === 0 || stdout.includes('"code"')).toBe(true);
    expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
    if (!(await isRecorded("victim"))) return;
    expect(await stage.json(app, ["env", "start", "victim"])).toMatchObject({ state: "awake" });
    await stage.json(app, ["env", "delete", "victim", "--force"]);
  },
);

test("server stop while an app is made leaves nothing running, and the app can be made again", async () => {
  const second = path.join(stage.folder, "second");
  await stage.git(stage.folder, "clone", "-q", app, second);
  await stage.run(app, "cp", "-R", "node_modules", "server.mjs", second);
  const before = await listData();
  const making = stage.ramet(second, ["init", "--app", "second", "--json"]);
  await eventually(async () =>
    expect((await listData()).some((id) => !before.includes(id))).toBe(true),
  );
  await stage.ramet(app, ["server", "stop"]);
  expect(await listProcesses(stage)).toEqual([]);

  expect([0, 2]).toContain((await making).exitCode);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
  const made = await stage.json(second, ["init", "--app", "second"]);
  expect(made).toMatchObject({ app: "second", state: "awake", problems: [] });
  await stage.json(app, ["app", "delete", "second", "--force"]);
});

async function listData(): Promise<readonly string[]> {
  const shared = path.join(stage.home, "shared", "data");
  return readdir((await exists(shared)) ? shared : path.join(stage.home, "data"));
}

async function countRoles(before: readonly string[], role: string): Promise<number> {
  const fresh = (await listData()).filter((id) => !before.includes(id));
  const processes = await Promise.all(fresh.map(async (id) => listProcesses(stage, id)));
  return processes.flat().filter((one) => one.role === role).length;
}

async function isRecorded(name: string): Promise<boolean> {
  return exists(path.join(stage.home, "apps", "notes", "environments", `${name}.json`));
}
