/** Stock apps of the frameworks, as their own tools make them: `ramet init` alone brings each up, and its page in Chromium follows an edit. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { monotonicMs } from "../../src/base/clock.ts";
import { exists } from "../../src/base/remove-inside.ts";
import { environmentSchema } from "../../src/protocol/schemas.ts";
import type { EnvironmentView } from "../../src/protocol/schemas.ts";
import { findChromium, openBrowser } from "../journeys/browser.ts";
import { type } from "../journeys/shell.ts";
import { eventually, fetchText, openStage } from "../journeys/stage.ts";
import type { Stage } from "../journeys/stage.ts";
import { APPS } from "./apps.ts";
import type { App } from "./apps.ts";
import { makeApp } from "./make-app.ts";

/** A development server compiles a page when it is first asked for. */
const PAGE_LIMIT_MS = 60_000;
const EDITED = "Edited by an agent";

const chromium = await findChromium();
/** Without those whose program this machine does not have. */
const THERE = APPS.filter(({ made }) => made.by !== "program" || existsSync(made.program));

let browser: Browser;

beforeAll(async () => {
  if (chromium === undefined) throw new Error("Install Chromium: the pages are opened in it.");
  browser = await openBrowser(chromium);
});
afterAll(async () => browser.close());

test.for(THERE)(
  "$name comes up by itself, follows an edit, and is forked beside itself",
  async (app) => {
    const stage = await openStage();
    try {
      const row = await tryApp(stage, app);
      process.stdout.write(`\n${row}\n`);
      expect(row).toContain(app.name);
    } finally {
      await stage.close();
    }
  },
);

/** Resolves with its line of the table. */
async function tryApp(stage: Stage, app: App): Promise<string> {
  const folder = await makeApp(stage, app);
  const first = await timed(async () => {
    await stage.json(folder, ["init", "--yes"]);
    await expectAnswer(stage, folder, app);
  });
  const following = await timed(() => followEdit(stage, folder, app));

  const fork = path.join(stage.folder, "fork");
  await type(stage, folder, `git worktree add ${fork}`);
  const forked = await timed(async () => {
    await stage.json(fork, ["env", "create", "fork", "--use"]);
    await expectAnswer(stage, fork, app);
  });
  await expectText(await addressOf(stage, fork, app), app.text);
  await expectText(await addressOf(stage, folder, app), EDITED);

  await type(stage, fork, "ramet env delete fork --force && git worktree remove --force .");
  const { app: name } = await showIn(stage, folder);
  await type(stage, folder, `ramet app delete ${name} --force`);
  expect(await stage.json(folder, ["doctor"])).toMatchObject({ leftovers: [] });
  const seconds = [first, following, forked].map((ms) => `${(ms / 1000).toFixed(1)} s`);
  return `| ${[app.name, await versionOf(stage, folder, app), app.reload, ...seconds].join(" | ")} |`;
}

/** Its page in Chromium, and an edit: an open page follows by itself, or the next answer is new. */
async function followEdit(stage: Stage, folder: string, app: App): Promise<void> {
  const stop = new AbortController();
  const dev = stage.ramet(folder, ["dev"], { signal: stop.signal });
  const page = await browser.newPage();
  try {
    const isLive = app.reload === "hot" ? heardOf(page) : Promise.resolve();
    await visit(page, await addressOf(stage, folder, app));
    await expectShown(page, app.text);
    await isLive;
    // The text comes before the scripts that will change it.
    await page.waitForLoadState("networkidle", { timeout: PAGE_LIMIT_MS });
    await edit(folder, app);
    if (app.reload === "restart") await reloadUntilEdited(page);
    await expectShown(page, EDITED);
  } finally {
    stop.abort();
    await dev;
    await page.close();
  }
}

async function expectText(url: string, text: string): Promise<void> {
  const page = await browser.newPage();
  try {
    await visit(page, url);
    await expectShown(page, text);
  } finally {
    await page.close();
  }
}

async function visit(page: Page, url: string): Promise<void> {
  const response = await page.goto(url, { timeout: PAGE_LIMIT_MS });
  expect(response?.status()).toBe(200);
}

async function expectShown(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor({ timeout: PAGE_LIMIT_MS });
}

/** Resolves when the page's script has heard its server: an edit that came before would be missed. */
async function heardOf(page: Page): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  page.on("websocket", (socket) => socket.on("framereceived", () => resolve()));
  return promise;
}

async function reloadUntilEdited(page: Page): Promise<void> {
  await eventually(async () => {
    await page.reload();
    expect(await page.content()).toContain(EDITED);
  }, PAGE_LIMIT_MS);
}

async function edit(folder: string, { file, text }: App): Promise<void> {
  const before = await readFile(path.join(folder, file), "utf8");
  expect(before).toContain(text);
  await writeFile(path.join(folder, file), before.replace(text, EDITED));
}

async function expectAnswer(stage: Stage, folder: string, app: App): Promise<void> {
  const { status, text } = await fetchText(await addressOf(stage, folder, app));
  expect(`${status} ${text}`).toMatch(/^200 /);
}

async function addressOf(stage: Stage, folder: string, app: App): Promise<string> {
  const shown = await showIn(stage, folder);
  expect(shown).toMatchObject({ state: "awake", problems: [], url: expect.any(String) });
  return `${shown.url}${app.path}`;
}

async function showIn(stage: Stage, folder: string): Promise<EnvironmentView> {
  return environmentSchema.parse(await stage.json(folder, ["env", "show"]));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = monotonicMs();
  await work();
  return monotonicMs() - startMs;
}

async function versionOf(stage: Stage, folder: string, app: App): Promise<string> {
  const { made, package: name } = app;
  if (made.by === "program") return (await type(stage, folder, made.version)).trim();
  if (name === null) return "–";
  const file = path.join(folder, "node_modules", name, "package.json");
  if (!(await exists(file))) return versionInPython(stage, folder, name);
  const parsed = z.object({ version: z.string() }).parse(JSON.parse(await readFile(file, "utf8")));
  return parsed.version;
}

async function versionInPython(stage: Stage, folder: string, name: string): Promise<string> {
  const code = `from importlib.metadata import version; print(version("${name}"))`;
  return (await type(stage, folder, `.venv/bin/python3 -c '${code}'`)).trim();
}
