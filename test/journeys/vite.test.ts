/** A stock create-vite app, to which its user adds an API with a database: the README's guide, and real pages in Chromium. */
import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { exists } from "../../src/base/remove-inside.ts";
import { findChromium, openBrowser } from "./browser.ts";
import { followGuide, show, type } from "./shell.ts";
import type { Running } from "./shell.ts";
import { eventually, fetchJson, fetchText, openStage, ROOT } from "./stage.ts";
import type { Stage } from "./stage.ts";

const CREATE = "npm exec --yes -- create-vite@9.3.0 rooms --template react-ts --no-interactive";

const RENAME = "update rooms set name = 'Library' where name = 'Attic'";

const chromium = await findChromium();
const ABSENT = chromium === undefined ? ", which is not installed here" : "";

let stage: Stage;
let app: string;

beforeAll(async () => {
  stage = await openStage();
  await type(stage, stage.folder, CREATE);
  app = path.join(stage.folder, "rooms");
  await type(stage, app, "git init -q -b main && git add -A && git commit -qm 'create-vite'");
}, 240_000);
afterAll(async () => stage.close(), 120_000);

test("a package.json alone is enough: installed, started at the port it is given, and taken away again", async () => {
  await type(stage, app, "ramet init");

  const made = await show(stage, app);
  expect(made).toMatchObject({
    app: "rooms",
    name: "development",
    state: "awake",
    files: { kind: "linked", path: app },
    processes: [{ name: "web", state: "ready", port: expect.any(Number) }],
    problems: [],
  });
  expect((await fetchText(`${made.url}/src/App.tsx`)).text).toContain("Get started");

  await type(stage, app, "ramet app delete rooms --force");
  expect(await type(stage, app, "git status --porcelain --ignored")).toBe(
    "?? package-lock.json\n!! node_modules/\n",
  );
  expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
}, 240_000);

describe("with an Express API, a database and a ramet.json", () => {
  let development: Environment;

  beforeAll(async () => {
    await type(stage, app, "npm install express pg");
    await cp(path.join(ROOT, "test", "apps", "rooms"), app, { recursive: true });
    await edit(app, "vite.config.ts", [
      "plugins: [react()],",
      "plugins: [react()],\n  server: { proxy: { '/api': `http://127.0.0.1:${process.env.RAMET_SERVICE_API_PORT}` } },",
    ]);
    await edit(app, "src/App.tsx", ["<h1>Get started</h1>", "<h1>Get started</h1><Rooms />"]);
    await edit(app, "src/App.tsx", [
      "function App",
      "import { Rooms } from './rooms.js'\n\nfunction App",
    ]);
    await type(stage, app, "git add -A && git commit -qm 'Rooms'");
    await type(stage, app, "ramet init && ramet var set GREETING=hello");
    development = await show(stage, app);
  }, 240_000);

  test.for(["worktree", "clone"] as const)(
    "the guide in a %s: code, schema, rows and variables change there and nowhere else",
    { timeout: 240_000 },
    async (workspace) => {
      await followGuide({ stage, app, name: `agent-${workspace}`, workspace, work: workAsAnAgent });

      expect(await exists(path.join(stage.folder, `agent-${workspace}`))).toBe(false);
      for (const url of [development.url, apiOf(development)])
        expect(await fetchJson(`${url}/api/rooms`)).toEqual({
          environment: "development",
          rooms: ["Attic", "Cellar", "Kitchen"].map((name) => ({ name })),
          greeting: "hello",
          keyLength: null,
        });
      expect((await fetchText(`${development.url}/src/App.tsx`)).text).toContain("Get started");
      expect(await stage.json(app, ["env", "list"])).toHaveLength(1);
      expect(await stage.json(app, ["doctor"])).toMatchObject({ leftovers: [] });
    },
  );

  describe.skipIf(chromium === undefined)(`in Chromium${ABSENT}`, () => {
    let browser: Browser;
    let context: BrowserContext;
    let folder: string;
    let fork: Environment;

    beforeAll(async () => {
      browser = await openBrowser(chromium ?? "");
      folder = path.join(stage.folder, "browsed");
      await type(stage, app, "git worktree add ../browsed");
      await type(stage, folder, "ramet env create browsed --use");
      fork = await show(stage, folder);
    }, 240_000);
    afterAll(async () => browser.close());
    beforeEach(async () => {
      context = await browser.newContext();
    });
    afterEach(async () => context.close());

    test("a page shows the rows of its own database, and development's page its own", async () => {
      const [own, source] = [await open(context, fork), await open(context, development)];
      await expectRooms(own, ["Attic", "Cellar", "Kitchen"]);

      await type(stage, folder, `ramet db query "${RENAME}"`);
      await Promise.all([own.page.reload(), source.page.reload()]);

      await expectRooms(own, ["Cellar", "Kitchen", "Library"]);
      await expectRooms(source, ["Attic", "Cellar", "Kitchen"]);
    });

    test("an edit reaches the open page by hot reload through the gateway: what the page held stays, and no other page moves", async () => {
      const [own, source] = [await open(context, fork), await open(context, development)];
      for (const { page } of [own, source]) {
        await page.evaluate("window.marker = 'still here'");
        await page.getByRole("button", { name: "Count is 0" }).click();
      }

      await edit(folder, "src/App.tsx", ["Get started", "Invoices"]);
      await own.page.getByRole("heading", { name: "Invoices" }).waitFor();
      expect(await titleOf(source)).toBe("Get started");

      await edit(app, "src/App.tsx", ["Get started", "Welcome"]);
      await source.page.getByRole("heading", { name: "Welcome" }).waitFor();
      expect(await titleOf(own)).toBe("Invoices");

      for (const { page, sockets, environment } of [own, source]) {
        expect(await page.evaluate("window.marker")).toBe("still here");
        expect(await page.getByRole("button", { name: "Count is 1" }).count()).toBe(1);
        expect(sockets).toEqual([new URL(environment.url).host]);
      }
    });

    test("both processes of an environment are one site, whose cookie no other environment is sent", async () => {
      const [own, source] = [await open(context, fork), await open(context, development)];

      await ask(own, `${apiOf(fork)}/api/sign-in`, "POST");

      for (const url of [fork.url, apiOf(fork)])
        expect(await ask(own, `${url}/api/guest`)).toEqual({ guest: "browsed" });
      for (const url of [development.url, apiOf(development)])
        expect(await ask(source, `${url}/api/guest`)).toEqual({ guest: null });
    });

    test("a sleeping environment's page says that it wakes, and becomes the app by itself", async () => {
      await type(stage, folder, "ramet env stop browsed");
      const page = await context.newPage();

      const response = await page.goto(fork.url);

      expect(response?.status()).toBe(503);
      expect(await response?.text()).toMatch(/<title>rooms--browsed is (waking|starting)</);
      await page.getByText("Cellar").waitFor();
      expect(await show(stage, folder)).toMatchObject({ state: "awake" });
    });
  });
});

type Environment = Awaited<ReturnType<typeof show>>;

/** Changes code of both processes, schema and rows, and sees each of them at its own addresses. */
async function workAsAnAgent(folder: string, dev: Running): Promise<void> {
  const own = await show(stage, folder);
  expect(own).toMatchObject({ state: "awake", parent: "development", problems: [] });
  await dev.shows("The rooms are open");

  await writeFile(path.join(folder, "migrations", "2-floors.sql"), FLOORS);
  await type(stage, folder, "ramet run -- node migrate.mjs");
  await edit(folder, "src/App.tsx", ["Get started", "Invoices"]);
  await dev.shows("hmr update");
  await edit(folder, "server.mjs", ["process.env.GREETING ?? null", "`${process.env.GREETING}!`"]);

  const expected = {
    environment: own.name,
    rooms: [{ name: "Cellar", floor: 0 }],
    greeting: "hello!",
    keyLength: "sk_test_1".length,
  };
  for (const url of [own.url, apiOf(own)])
    await eventually(async () => expect(await fetchJson(`${url}/api/rooms`)).toEqual(expected));
  expect((await fetchText(`${own.url}/src/App.tsx`)).text).toContain("Invoices");
  await type(stage, folder, "git add -A && git commit -qm 'Invoices'");
}

const FLOORS = `alter table rooms add column floor int default 0;
delete from rooms where name <> 'Cellar';`;

type Opened = {
  readonly page: Page;
  readonly environment: Environment;
  /** Hosts of its WebSockets. */
  readonly sockets: readonly string[];
};

/** Once hot reload is connected: an edit that came before would be missed. */
async function open(context: BrowserContext, environment: Environment): Promise<Opened> {
  const page = await context.newPage();
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(new URL(socket.url()).host));
  const connected = page.waitForEvent("console", {
    predicate: (message) => message.text().includes("[vite] connected"),
  });
  await Promise.all([connected, page.goto(environment.url)]);
  await page.getByText("Cellar").waitFor();
  return { page, environment, sockets };
}

async function expectRooms({ page }: Opened, names: readonly string[]): Promise<void> {
  await eventually(async () => expect(await page.locator(".room").allInnerTexts()).toEqual(names));
}

async function titleOf({ page }: Opened): Promise<string> {
  return page.locator("h1").innerText();
}

/** What a page's own script is answered, its cookies sent along. */
async function ask({ page }: Opened, url: string, method = "GET"): Promise<unknown> {
  const options = JSON.stringify({ method, credentials: "include" });
  return page.evaluate(`fetch("${url}", ${options}).then((answer) => answer.json())`);
}

async function edit(
  folder: string,
  file: string,
  [from, to]: readonly [from: string, to: string],
): Promise<void> {
  const before = await readFile(path.join(folder, file), "utf8");
  if (!before.includes(from)) throw new Error(`${file} has no ${from}: ${before}`);
  await writeFile(
    path.join(folder, file),
    before.replace(from, () => to),
  );
}

function apiOf({ url }: Pick<Environment, "url">): string {
  return url.replace("http://", "http://api.");
}
