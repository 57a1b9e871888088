import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { environmentSchema, verificationSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { detectIsolation } from "../../src/runtime/runtime.ts";
import { killServer, requireServer, reservePorts, show } from "./machine.ts";
import { eventually, fetchJson, fetchText, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

/** Listens where its code says, and tells what it sees from there; by a path it fetches another address. */
const SERVER = `
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import pg from "pg";

createServer(async (request, response) => {
  const [, verb, what = ""] = request.url.split("/").map(decodeURIComponent);
  if (verb === "fetch") {
    const heard = await fetch(what).then((answer) => answer.text(), (error) => String(error.cause?.code ?? error));
    response.end(JSON.stringify({ heard }));
  } else if (verb === "see") {
    response.end(JSON.stringify({ seen: existsSync(what) }));
  } else {
    const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
    await client.connect();
    const { rows } = await client.query("select count(*)::int as notes from notes");
    await client.end();
    response.end(JSON.stringify({ environment: process.env.RAMET_ENV, database: new URL(process.env.DATABASE_URL).host, ...rows[0] }));
  }
}).listen(3000);
`;

let stage: Stage;
let app: string;
let isSealed: boolean;
let development: EnvironmentView;
let agent: EnvironmentView;

beforeAll(async () => {
  stage = await openStage();
  await reservePorts(stage);
  app = await stage.copyApp("notes", ["pg"]);
  await writeFile(path.join(app, "server.mjs"), SERVER);
  const manifest: { processes: Record<string, object> } = JSON.parse(
    await readFile(path.join(app, "ramet.json"), "utf8"),
  );
  manifest.processes["web"] = { command: "node server.mjs", port: 3000 };
  await writeFile(path.join(app, "ramet.json"), JSON.stringify(manifest));
  await stage.git(app, "commit", "-qam", "A port that the code names");
  isSealed = (await detectIsolation(null)).kind === "isolated";
  development = environmentSchema.parse(await stage.json(app, ["init"]));
  const worktree = path.join(stage.folder, "agent");
  await stage.git(app, "worktree", "add", "-q", worktree);
  agent = environmentSchema.parse(await stage.json(worktree, ["env", "create", "agent", "--use"]));
}, 240_000);
afterAll(async () => stage.close());

async function ask({ url }: EnvironmentView, question = ""): Promise<unknown> {
  return JSON.parse((await fetchText(`${url}/${question}`)).text);
}

function fetching(address: string): string {
  return `fetch/${encodeURIComponent(address)}`;
}

test("two environments both listen on port 3000, each with its own rows at 127.0.0.1:5432", async () => {
  const expected = isSealed ? { database: "127.0.0.1:5432" } : {};
  for (const one of [development, agent])
    expect(await ask(one)).toMatchObject({ environment: one.name, notes: 1000, ...expected });
  expect(agent.isolation).toContain(isSealed ? "isolated (" : "ports: ");
  expect(agent.processes.find(({ name }) => name === "web")?.port === 3000).toBe(isSealed);
  expect((await stage.ramet(app, ["env", "show", "agent"])).stdout).toMatch(
    /isolation +(isolated|ports)/,
  );
});

test("an environment reaches itself by its address, and its neighbour by none", async () => {
  const own = JSON.stringify(await ask(agent, fetching(agent.url ?? "")));
  // Where the network is the machine's, Node does not know such a name.
  expect(own.includes('\\"agent\\"')).toBe(isSealed);
  const port = new URL(development.url ?? "").port;
  const heard = await Promise.all(
    [development.url ?? "", `http://127.0.0.1:${port}/`, `http://[::1]:${port}/`].map(
      async (address) => ask(agent, fetching(address)),
    ),
  );
  expect(JSON.stringify(heard).includes('"development"')).toBe(false);
});

test("an environment sees neither its neighbour's folder nor the server's home", async () => {
  const see = async (file: string): Promise<unknown> =>
    ask(agent, `see/${encodeURIComponent(file)}`);
  expect(await see(path.join(agent.files.path, "server.mjs"))).toEqual({ seen: true });
  for (const file of [
    path.join(development.files.path, "server.mjs"),
    path.join(stage.home, "token"),
    "/etc/shadow",
  ])
    expect(await see(file)).toEqual({ seen: !isSealed });
});

test("a server that was killed finds what is sealed off again, and nobody is started anew", async () => {
  const before = (await show(stage, app, "agent")).processes.map(({ pid }) => pid);
  await killServer(stage, app);
  await requireServer(stage, app);
  await eventually(async () => expect(await ask(agent)).toMatchObject({ environment: "agent" }));
  expect((await show(stage, app, "agent")).processes.map(({ pid }) => pid)).toEqual(before);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});

test("whoever tries to break out of a sealed environment gets nowhere, and whoever is not sealed off gets far", async () => {
  const ran = await stage.ramet(agent.files.path, ["env", "verify", "--json"]);
  const { probes, ...about } = verificationSchema.parse(JSON.parse(ran.stdout));
  const leaked = probes.filter(({ outcome }) => outcome === "leaked");

  expect(about).toEqual({ app: agent.app, environment: "agent", isolation: agent.isolation });
  expect(isSealed ? leaked : []).toEqual([]);
  expect(ran.exitCode).toBe(isSealed ? 0 : 2);
  // The server itself is asked for here, and real gateways.
  const held = probes.filter(({ outcome }) => outcome === "held").map(({ id }) => id);
  const asked = ["server-token", "server-socket", "server-dialer", "database-gateway"];
  expect(held.filter((id) => asked.includes(id))).toEqual(isSealed ? asked : []);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});

test("isolation that is switched off takes effect when the environment's files say so", async () => {
  const file = path.join(agent.files.path, "ramet.json");
  const manifest: object = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...manifest, isolation: "off" }));
  await stage.json(agent.files.path, ["var", "set", "CHANGED=1"]);
  await eventually(
    async () => expect(await fetchJson(agent.url ?? "")).toMatchObject({ environment: "agent" }),
    60_000,
  );
  expect(await show(stage, app, "agent")).toMatchObject({
    isolation: "ports: ramet.json switches isolation off",
  });
  expect(await ask(agent, `see/${encodeURIComponent(stage.home)}`)).toEqual({ seen: true });
});

test("a delete leaves nothing of it", async () => {
  await stage.json(app, ["env", "delete", "agent", "--force"]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
});
