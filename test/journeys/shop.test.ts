/** The README's guide on the sample app, as its user types it: two agents at one moment, one in a worktree, one in a clone. */
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../src/base/remove-inside.ts";
import {
  environmentSchema,
  queryResultSchema,
  variableSchema,
} from "../../src/protocol/schemas.ts";
import { followGuide, show, type } from "./shell.ts";
import type { Running } from "./shell.ts";
import { eventually, fetchJson, fetchText, openStage, ROOT } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
let app: string;
let initial: string;
let development: Awaited<ReturnType<typeof show>>;

beforeAll(async () => {
  stage = await openStage();
  app = path.join(stage.folder, "shop");
  await cp(path.join(ROOT, "examples", "shop"), app, {
    recursive: true,
    filter: (file) => path.basename(file) !== "node_modules",
  });
  await type(stage, app, "git init -q -b main && git add -A && git commit -qm 'The shop'");
  initial = await type(stage, app, "ramet init");
  development = await show(stage, app);
}, 240_000);
afterAll(async () => stage.close(), 120_000);

test("init installs, migrates, seeds and starts both processes, each at an address of its own", async () => {
  expect(initial).toContain(development.url);
  expect(development).toMatchObject({
    app: "shop",
    name: "development",
    state: "awake",
    parent: null,
    files: { kind: "linked", path: app },
    processes: [
      { name: "web", state: "ready" },
      { name: "api", state: "ready" },
    ],
    problems: [],
  });
  expect(await exists(path.join(app, "node_modules", "vite"))).toBe(true);
  expect((await fetchText(`${development.url}/`)).text).toContain("<title>Shop</title>");
  const shop = { environment: "development", url: development.url, orders: 28_000, products: 2000 };
  expect(await fetchJson(`${development.url}/api/shop`)).toEqual(shop);
  expect(await fetchJson(`${apiOf(development)}/api/shop`)).toEqual(shop);
  expect((await fetchText(`${apiOf(development)}/`)).status).toBe(404);
});

/** What an agent makes of its shop, to be found there alone. */
type Feature = { readonly name: string; readonly headline: string; readonly table: string };

const INVOICES = { name: "agent-feature", headline: "Now with invoices", table: "invoices" };
const REVIEWS = { name: "agent-clone", headline: "Loved by thousands", table: "reviews" };

test("the guide, by two agents at one moment: each finds its own code, schema, rows and variables, and nobody another's", async () => {
  await type(stage, app, "ramet var set GREETING=hello");
  await type(stage, app, "echo development_key | ramet var set MAIL_KEY --secret");
  const before = await readFacts(app);
  expect(before).toEqual({
    headline: "Things worth keeping",
    routes: [404, 404],
    tables: [null, null],
    orders: 28_000,
    price: "12800",
    variables: { GREETING: "hello", MAIL_KEY: null },
  });

  const guides = [
    follow("worktree", INVOICES, { ...before, routes: [200, 404], tables: ["invoices", null] }),
    follow("clone", REVIEWS, { ...before, routes: [404, 200], tables: [null, "reviews"] }),
  ] as const;
  // Where one fails, the other is at work still.
  await Promise.allSettled(guides);
  const [invoices, reviews] = await Promise.all(guides);

  await expectGone(invoices);
  await expectGone(reviews);
  expect(await readFacts(app)).toEqual(before);
  expect(await type(stage, app, "git status --porcelain")).toBe("");
  await eventually(async () => {
    const { standbys } = environmentSchema.parse(await stage.json(app, ["env", "show"]));
    const owned = [development.id, ...standbys.map(({ id }) => id)];
    expect((await listData()).toSorted()).toEqual(owned.toSorted());
  });
  expect(await stage.json(app, ["env", "list"])).toMatchObject([{ name: "development" }]);
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
}, 240_000);

type Environment = Awaited<ReturnType<typeof show>>;
type Facts = Awaited<ReturnType<typeof readFacts>>;

/** Resolves with the environment that there was. */
async function follow(
  workspace: "worktree" | "clone",
  feature: Feature,
  inherited: Facts,
): Promise<Environment> {
  const { promise, resolve } = Promise.withResolvers<Environment>();
  await followGuide({
    stage,
    app,
    name: feature.name,
    workspace,
    work: async (folder, dev) => {
      resolve(await show(stage, folder));
      await workAsAnAgent(folder, { feature, dev });
      expect(await readFacts(folder)).toEqual({
        ...inherited,
        headline: feature.headline,
        orders: inherited.orders + 1,
        price: "100",
        variables: { GREETING: "hello", STRIPE_KEY: null },
      });
      await type(stage, folder, `git add -A && git commit -qm '${feature.headline}'`);
    },
  });
  return promise;
}

/** Changes code of both processes, schema and rows while they run, and sees hot reload and restart in its stream. */
async function workAsAnAgent(
  folder: string,
  { feature, dev }: { readonly feature: Feature; readonly dev: Running },
): Promise<void> {
  const { name, headline, table } = feature;
  const own = await show(stage, folder);
  expect(own).toMatchObject({
    name,
    state: "awake",
    parent: "development",
    files: { kind: "linked", path: folder },
    processes: [{ state: "ready" }, { state: "ready" }],
    problems: [],
  });
  expect(await fetchJson(`${apiOf(own)}/api/shop`)).toMatchObject({ environment: name });
  await dev.shows("The API listens on");

  const migration = path.join(folder, "db", "migrations", `0003-${table}.sql`);
  await writeFile(migration, `CREATE TABLE ${table} AS SELECT 7 AS id;\n`);
  expect(await type(stage, folder, "ramet run -- npm run migrate")).toContain(`0003-${table}`);
  await writeFile(
    path.join(folder, "web", "headline.ts"),
    `export const headline = "${headline}";\n`,
  );
  await addRoute(folder, table);
  await dev.shows("Restarting 'api/server.mjs'");

  const answer = await eventually(async () => {
    const { status, text } = await fetchText(`${own.url}/api/${table}`);
    expect(status).toBe(200);
    return text;
  });
  expect(JSON.parse(answer)).toEqual({
    rows: [{ id: 7 }],
    greeting: "hello",
    keyLength: "sk_test_1".length,
    mailKey: null,
  });
  await type(stage, folder, "ramet db query 'UPDATE products SET price_cents = 100 WHERE id = 3'");
  await type(stage, folder, "ramet db query 'INSERT INTO orders (customer_id) VALUES (1)'");
  expect(await type(stage, folder, "ramet run -- printenv STRIPE_KEY")).toBe("sk_test_1\n");
  const screens = await type(stage, folder, "ramet var list && ramet env show && ramet logs");
  expect(screens).not.toContain("sk_test_1");
}

/** To the API: what it finds in its new table and in its variables. */
async function addRoute(folder: string, table: string): Promise<void> {
  const file = path.join(folder, "api", "server.mjs");
  const code = await readFile(file, "utf8");
  const place = 'app.post("/api/orders"';
  expect(code).toContain(place);
  const route = `app.get("/api/${table}", answer(async () => ({
  rows: (await pool.query("SELECT * FROM ${table}")).rows,
  greeting: process.env.GREETING,
  keyLength: process.env.STRIPE_KEY.length,
  mailKey: process.env.MAIL_KEY ?? null,
})));`;
  await writeFile(file, code.replace(place, `${route}\n${place}`));
}

const SQL =
  "SELECT to_regclass('invoices'), to_regclass('reviews'), price_cents FROM products WHERE id = 3";

/** All that an environment shows: through its URL, its database, its variables. */
async function readFacts(folder: string) {
  const { url } = await show(stage, folder);
  const { rows } = queryResultSchema.parse(await stage.json(folder, ["db", "query", SQL]));
  const [invoices, reviews, price] = rows[0] ?? [];
  const variables = variableSchema.array().parse(await stage.json(folder, ["var", "list"]));
  const { orders }: { orders: number } = JSON.parse((await fetchText(`${url}/api/shop`)).text);
  const routes = [await fetchText(`${url}/api/invoices`), await fetchText(`${url}/api/reviews`)];
  const code = (await fetchText(`${url}/headline.ts`)).text;
  return {
    headline: /headline = "([^"]*)"/.exec(code)?.[1],
    routes: routes.map(({ status }) => status),
    tables: [invoices, reviews],
    orders,
    price,
    variables: Object.fromEntries(variables.map(({ name, value }) => [name, value])),
  };
}

/** Its addresses lead nowhere, its folder is not there. */
async function expectGone({ url, databaseUrl, files }: Environment): Promise<void> {
  for (const address of [url, apiOf({ url })])
    expect(await fetchJson(address)).toMatchObject({ problem: { code: "host_unknown" } });
  const client = new pg.Client({ connectionString: databaseUrl });
  await expect(client.connect()).rejects.toThrow();
  expect(await exists(files.path)).toBe(false);
}

/** The folders of environments; for root's server they lie where a link in its home leads. */
async function listData(): Promise<readonly string[]> {
  const shared = path.join(stage.home, "shared");
  return readdir(path.join((await exists(shared)) ? shared : stage.home, "data"));
}

function apiOf({ url }: Pick<Environment, "url">): string {
  return url.replace("http://", "http://api.");
}
