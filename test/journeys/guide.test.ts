import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../src/base/remove-inside.ts";
import { eventually, fetchJson, openStage } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let app: string;
let development: string;

beforeAll(async () => {
  stage = await openStage();
  app = await stage.copyApp("notes", ["pg"]);
  const made = await stage.json(app, ["init"]);
  development = urlOf(made);
});
afterAll(async () => stage.close());

test("init sets up, migrates, seeds and starts the app where it is", async () => {
  expect(await fetchJson(development)).toEqual({
    environment: "development",
    headline: "Notes",
    notes: 1000,
  });
  expect(await stage.json(app, ["env", "list"])).toMatchObject([
    { app: "notes", name: "development", state: "awake", parent: null, problems: [] },
  ]);
});

test("the guide: an agent's worktree gets an environment of its own, and gives it back", async () => {
  await stage.git(app, "worktree", "add", "-q", "../agent-feature");
  await expectGuideToWork(path.join(stage.folder, "agent-feature"), "agent-feature");
  await stage.git(app, "worktree", "remove", "--force", "../agent-feature");
});

test("the guide in a separate clone of the repository", async () => {
  await stage.git(stage.folder, "clone", "-q", app, "clone");
  await expectGuideToWork(path.join(stage.folder, "clone"), "from-clone");
});

/** Word for word, with what it promises checked after each step. */
async function expectGuideToWork(folder: string, name: string): Promise<void> {
  await stage.ramet(app, ["var", "set", "MODE=plain", "--env", "development"]);

  const made = await stage.json(folder, ["env", "create", name, "--use"]);
  expect(made).toMatchObject({
    app: "notes",
    name,
    parent: "development",
    state: "awake",
    files: { kind: "linked", path: folder },
    timings: { total: expect.any(Number) },
  });
  await stage.json(folder, ["var", "import", "--from", "development", "--all", "--include-values"]);
  await stage.json(folder, ["var", "set", "STRIPE_KEY=sk_test_1", "--secret"]);
  expect(await stage.ramet(folder, ["push", "--force"])).toMatchObject({ exitCode: 0 });

  const url = urlOf(made);
  const developing = await startDev(folder);
  await workAsAnAgent(folder, url);
  expect(await developing.stop()).toBe(0);

  await expectUntouched(name);
  expect(await stage.ramet(folder, ["env", "delete", name, "--force"])).toMatchObject({
    exitCode: 0,
  });
  expect(await exists(path.join(folder, ".ramet", "environment.json"))).toBe(false);
  expect(await fetchJson(url)).toMatchObject({ problem: { code: "host_unknown" } });
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
}

/** Changes code, rows, schema and variables, and sees each of them at its own URL. */
async function workAsAnAgent(folder: string, url: string): Promise<void> {
  await writeFile(path.join(folder, "headline.mjs"), 'export const headline = "Invoices";\n');
  await eventually(async () =>
    expect(await fetchJson(url)).toMatchObject({ headline: "Invoices" }),
  );

  await stage.json(folder, ["db", "query", "delete from notes where id > 10"]);
  await writeFile(
    path.join(folder, "migrations", "2-paid.sql"),
    "alter table notes add column paid boolean;",
  );
  await stage.ramet(folder, ["run", "--", "node", "migrate.mjs"]);
  expect(await fetchJson(url)).toMatchObject({ notes: 10 });
  expect(await fetchJson(`${url}/columns`)).toEqual(["id", "paid", "text"]);

  expect(await fetchJson(`${url}/variables`)).toMatchObject({
    mode: "plain",
    publicUrl: `${url}/public`,
    keyLength: "sk_test_1".length,
  });
}

async function expectUntouched(name: string): Promise<void> {
  expect(await fetchJson(development)).toEqual({
    environment: "development",
    headline: "Notes",
    notes: 1000,
  });
  expect(await fetchJson(`${development}/columns`)).toEqual(["id", "text"]);
  expect(await fetchJson(`${development}/variables`)).toMatchObject({ keyLength: null });
  expect(await readFile(path.join(app, "headline.mjs"), "utf8")).toContain("Notes");
  const listed = await stage.json(app, ["var", "list"]);
  expect(listed).toEqual([{ name: "MODE", secret: false, value: "plain" }]);
  expect(await stage.json(app, ["var", "list", "--env", name])).toContainEqual({
    name: "STRIPE_KEY",
    secret: true,
    value: null,
  });
}

async function startDev(folder: string): Promise<{ stop(): Promise<number> }> {
  const controller = new AbortController();
  const { promise: streaming, resolve } = Promise.withResolvers<void>();
  const ran = stage.ramet(folder, ["dev"], {
    signal: controller.signal,
    onStdout: () => resolve(),
  });
  await Promise.race([streaming, ran]);
  return {
    stop: async () => {
      controller.abort(new DOMException("Stopped.", "AbortError"));
      return (await ran).exitCode;
    },
  };
}

function urlOf(made: unknown): string {
  if (typeof made === "object" && made !== null && "url" in made && typeof made.url === "string")
    return made.url;
  throw new Error(`There is no URL in ${JSON.stringify(made)}.`);
}
