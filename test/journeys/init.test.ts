/** `ramet init --yes` alone brings up an app that never heard of Ramet: its server, its database and its first rows. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { waitFor } from "../../src/base/clock.ts";
import { exists } from "../../src/base/remove-inside.ts";
import { fetchJson, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

const viewSchema = z.object({ url: z.string(), state: z.string() });

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => stage.close(), 120_000);

async function createRepository(
  name: string,
  files: Readonly<Record<string, string | object>>,
): Promise<string> {
  const folder = path.join(stage.folder, name);
  for (const [inner, content] of Object.entries(files)) {
    const file = path.join(folder, inner);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  }
  await stage.git(folder, "init", "-q", "-b", "main");
  await stage.git(folder, "add", "-A");
  await stage.git(folder, "commit", "-qm", "The app");
  return folder;
}

async function readView(folder: string): Promise<z.infer<typeof viewSchema>> {
  return viewSchema.parse(await stage.json(folder, ["env", "show"]));
}

/** Answers what it was given. */
const server = (listen: string): string => `
  const http = require("node:http");
  const { readFileSync, existsSync } = require("node:fs");
  http.createServer((request, response) => {
    const steps = existsSync("steps") ? readFileSync("steps", "utf8").trim().split("\\n") : [];
    const { DATABASE_URL, POSTGRES_URL } = process.env;
    response.end(JSON.stringify({ steps, isOne: DATABASE_URL === POSTGRES_URL && DATABASE_URL !== undefined }));
  }).listen(${listen});
`;

test("an app with scripts alone: migrated, seeded, and given its database under the name that it knows", async () => {
  const folder = await createRepository("plain", {
    "package.json": {
      name: "plain",
      scripts: {
        dev: "node server.js",
        "db:migrate": "echo migrated >> steps",
        "db:seed": "echo seeded >> steps",
      },
    },
    ".env.example": "POSTGRES_URL=\nMAIL_KEY=\n",
    "server.js": server("process.env.PORT || 3000"),
  });

  const ran = await stage.ramet(folder, ["init", "--yes"]);

  expect(ran).toMatchObject({ exitCode: 0 });
  expect(ran.stderr).toContain(".env.example leaves MAIL_KEY empty");
  const { url } = await readView(folder);
  expect(await fetchJson(url)).toEqual({ steps: ["migrated", "seeded"], isOne: true });
  expect(JSON.parse(await readFile(path.join(folder, "ramet.json"), "utf8"))).toMatchObject({
    app: "plain",
    database: { migrate: "npm run db:migrate", seed: "npm run db:seed" },
    variables: { POSTGRES_URL: "$DATABASE_URL" },
  });
  await stage.ramet(folder, ["app", "delete", "plain", "--force"]);
}, 120_000);

test("a repository of two apps: each answers at an address of its own", async () => {
  const folder = await createRepository("pair", {
    "package.json": { name: "pair", private: true, workspaces: ["apps/*"] },
    "apps/web/package.json": { name: "w", scripts: { dev: "node index.js" } },
    "apps/web/index.js": server("process.env.PORT"),
    "apps/api/package.json": { name: "a", scripts: { dev: "node index.js" } },
    "apps/api/index.js": server("process.env.PORT"),
  });

  expect(await stage.ramet(folder, ["init", "--yes"])).toMatchObject({ exitCode: 0 });

  const { url } = await readView(folder);
  for (const address of [url, url.replace("://", "://api.")])
    expect(await fetchJson(address)).toMatchObject({ steps: [] });
  await stage.ramet(folder, ["app", "delete", "pair", "--force"]);
}, 120_000);

test("a script that ends at once is one problem, and nothing is made", async () => {
  const folder = await createRepository("ends", { "package.json": { scripts: { dev: "tsc" } } });

  expect(JSON.parse((await stage.ramet(folder, ["init", "--json"])).stdout)).toMatchObject({
    problem: { code: "app_script_ends" },
  });
  expect(await stage.json(folder, ["app", "list"])).toEqual([]);
}, 60_000);

test("Ctrl-C while the first migration runs leaves an environment that can be gone on with", async () => {
  const folder = await createRepository("stopped", {
    "ramet.json": {
      processes: { web: { command: "node server.js" } },
      database: {
        migrate: "echo migrating >> steps; test -e go || exec sleep 600; echo migrated >> steps",
      },
    },
    "server.js": server('process.env.PORT, "127.0.0.1"'),
  });
  const stop = new AbortController();
  const running = stage.ramet(folder, ["init"], { signal: stop.signal });
  const hasBegun = async (): Promise<true | undefined> =>
    (await exists(path.join(folder, "steps"))) || undefined;
  expect(await waitFor(hasBegun, { timeoutMs: 60_000 })).toBe(true);
  stop.abort(new DOMException("Stopped.", "AbortError"));

  const { exitCode, stderr } = await running;
  expect([exitCode, stderr]).toEqual([
    130,
    expect.stringContaining("`ramet env start development`"),
  ]);
  expect(await readState(folder)).toEqual({
    state: "broken",
    codes: ["preparation_interrupted"],
  });

  await writeFile(path.join(folder, "go"), "");
  await stage.json(folder, ["env", "start"]);
  const { url } = await readView(folder);
  expect(await fetchJson(url)).toMatchObject({ steps: ["migrating", "migrating", "migrated"] });
  await stage.ramet(folder, ["app", "delete", "stopped", "--force"]);
}, 120_000);

async function readState(folder: string): Promise<{ state: string; codes: readonly string[] }> {
  const { state, problems } = z
    .object({ state: z.string(), problems: z.array(z.object({ code: z.string() })) })
    .parse(await stage.json(folder, ["env", "show"]));
  return { state, codes: problems.map(({ code }) => code) };
}
