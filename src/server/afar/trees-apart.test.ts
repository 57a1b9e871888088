import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exchange, headersOf, openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage } from "../../../test/journeys/afar-stage.ts";
import type { NewToken } from "../../access/access.ts";
import { Problem } from "../../base/problem.ts";
import { callServer } from "../../cli/connection/client.ts";
import { CALLS } from "../../protocol/calls.ts";
import type { CallInput, CallName, CallOutput } from "../../protocol/calls.ts";
import { isCallName } from "../answering/call-table.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const PAIR = "0123456789abcdef";
const SHOPS = { app: "shop", environment: "kept", pair: PAIR, visit: "a".repeat(16) };
const BLOGS = { ...SHOPS, app: "blog" };
const PLAN = {
  removals: [],
  puts: [{ path: "left-behind", entry: { kind: "folder" as const } }],
};
/** Parts of work with a tree, as whoever has guessed its visit asks for them. */
const TREE_CALLS = {
  "tree.look": { scope: "all" },
  "tree.answer": { ignored: [] },
  "tree.read": { wants: [{ path: "notes.txt", offset: 0 }] },
  "tree.pieces": { path: "notes.txt" },
  "tree.stage": { batch: { parts: [], packed: "" } },
  "tree.apply": { plan: PLAN },
  "tree.commit": {},
  "tree.wait": { seen: 0 },
} as const;

type Lent = { readonly id: string; readonly text: string };

let stage: AfarStage;
let shops: Lent;
let blogs: Lent;

beforeAll(async () => {
  stage = await openAfarStage();
  await stage.calls.engine.createApp("blog", { processes: {}, database: false });
  for (const app of ["shop", "blog"]) {
    await ask(stage.token, "environment.create", {
      app,
      name: "kept",
      from: ["development"],
      files: { kind: "kept" },
      searchPath: "",
    });
    await writeFile(path.join(folderOf(app), "notes.txt"), `of ${app}\n`);
  }
  [shops, blogs] = [await lend({ apps: ["shop"] }), await lend({ apps: ["blog"] })];
});
afterAll(async () => stage.close());

function folderOf(app: string): string {
  return stage.calls.engine.engine.registry.require(app, "kept").record.files.path;
}

async function lend(changes: Partial<NewToken> = {}): Promise<Lent> {
  const wanted = { label: null, apps: null, right: "write", lifeMs: DAY_MS } as const;
  const made = await stage.calls.access.createToken({ user: "anna", ...wanted, ...changes });
  return { id: made.token.id, text: made.text };
}

async function ask<Name extends CallName>(
  token: string,
  name: Name,
  input: CallInput<Name>,
): Promise<CallOutput<Name> | string> {
  const trust = { authority: stage.certificate, pinned: null };
  const server = { url: `https://127.0.0.1:${stage.port}`, token, trust };
  try {
    return await callServer(server, { name, input });
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

async function look(token: string, visit: typeof SHOPS): Promise<unknown> {
  let reply = await ask(token, "tree.look", { ...visit, scope: "all" });
  while (typeof reply !== "string" && reply.kind === "ask")
    reply = await ask(token, "tree.answer", { ...visit, ignored: [] });
  return reply;
}

const LOOKED = {
  kind: "look",
  changes: expect.arrayContaining([["notes.txt", expect.objectContaining({ kind: "file" })]]),
};

test("of an app that a token is not for, no tree is opened, or put away", async () => {
  expect(await ask(blogs.text, "tree.open", SHOPS)).toBe("scope_too_small");
  expect(await ask(blogs.text, "tree.close", SHOPS)).toBe("scope_too_small");
  expect(await ask(blogs.text, "tree.arrived", SHOPS)).toBe("scope_too_small");
});

test.each(
  Object.keys(TREE_CALLS)
    .filter((name) => name in TREE_CALLS)
    .filter(isCallName),
)("%s leads whoever has guessed another's visit nowhere, by either app's name", async (name) => {
  await ask(shops.text, "tree.open", SHOPS);
  const more = Object.entries(TREE_CALLS).find(([known]) => known === name)?.[1];
  const guess = { ...SHOPS, ...more };
  expect(await askAnything(blogs.text, name, guess)).toBe("scope_too_small");
  expect(await askAnything(blogs.text, name, { ...guess, app: "blog" })).toBe("visit_unknown");
  expect(await look(shops.text, SHOPS)).toMatchObject(LOOKED);
});

test("a visit of the same name to one's own app takes another's tree away from nobody", async () => {
  await ask(shops.text, "tree.open", SHOPS);
  expect(await ask(blogs.text, "tree.close", BLOGS)).toEqual({});
  expect(await look(shops.text, SHOPS)).toMatchObject(LOOKED);
  expect(await ask(blogs.text, "tree.open", BLOGS)).toMatchObject({ recovered: [] });
  expect(await look(shops.text, SHOPS)).toMatchObject({ kind: "look", changes: [] });
  const plan = { removals: [], puts: [{ path: "mine", entry: { kind: "folder" as const } }] };
  expect(await ask(blogs.text, "tree.apply", { ...BLOGS, plan })).toMatchObject({ left: [] });
  expect(
    await ask(shops.text, "tree.read", { ...SHOPS, wants: [{ path: "mine", offset: 0 }] }),
  ).toBe("sync_conflict");
});

test("a tree's visit does not outlive its environment, though another gets its name", async () => {
  const brief = { ...BLOGS, environment: "brief" };
  const create = async (): Promise<unknown> =>
    ask(blogs.text, "environment.create", {
      app: "blog",
      name: "brief",
      from: ["kept"],
      files: { kind: "kept" },
      searchPath: "",
    });
  await create();
  expect(await ask(blogs.text, "tree.open", brief)).toMatchObject({ recovered: [] });
  await ask(blogs.text, "environment.delete", { app: "blog", environment: "brief" });
  expect(await ask(blogs.text, "tree.commit", brief)).toBe("environment_unknown");
  expect(await ask(blogs.text, "tree.close", brief)).toEqual({});
  await create();
  expect(await ask(blogs.text, "tree.commit", brief)).toBe("visit_unknown");
});

test.each([
  ["that is revoked", async ({ id }: Lent) => stage.calls.access.revokeToken(id)],
  ["whose user is removed", async () => stage.calls.access.removeUser("ben")],
  ["that expires", async () => undefined],
])("with a token %s a wait for a tree ends, and the tree is out of its reach", async (how, end) => {
  await stage.calls.access.addUser("ben", false).catch(() => undefined); // He is there already.
  const visit = { ...SHOPS, visit: "b".repeat(16) };
  expect(await ask(shops.text, "tree.open", visit)).toMatchObject({ recovered: [] });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  stage.calls.opening = async () => begin();
  const lent = await lend({ user: "ben", lifeMs: how === "that expires" ? 500 : DAY_MS });
  const waiting = askWhileItChanges(lent, visit);
  await Promise.race([begun, waiting]);
  await end(lent);
  expect(await waiting).toBe("token_refused");
  expect(await ask(lent.text, "tree.apply", { ...visit, plan: PLAN })).toBe("token_refused");
});

/** A wait may end because of a change; the next one is asked then. */
async function askWhileItChanges({ text }: Lent, visit: typeof SHOPS): Promise<unknown> {
  let seen = 0;
  for (let turn = 0; turn < 1_000; turn += 1) {
    const reply = await ask(text, "tree.wait", { ...visit, seen });
    if (typeof reply === "string") return reply;
    ({ seen } = reply);
  }
  return "nothing ended it";
}

/** What an input may hold that says what should be changed: it has to be refused before that is looked at. */
const ANYTHING = {
  ...SHOPS,
  name: "x",
  files: { kind: "kept" },
  workspace: "/etc",
  folder: "/etc",
  id: "x",
  plan: PLAN,
};

async function askAnything(token: string, name: CallName, input: object): Promise<unknown> {
  const sent = { headers: headersOf(token), body: JSON.stringify(input), call: name };
  const answer = await exchange(stage.port, stage.certificate, sent);
  return /"problem":\{"code":"([a-z_]+)"/.exec(answer)?.[1] ?? answer;
}

/** All that a token to read may ask; a new call is to be thought about here too. */
const FOR_READERS = [
  "server.status",
  "server.authority",
  "app.list",
  "environment.list",
  "environment.use",
  "environment.show",
  "environment.logs",
  "variable.list",
  "database.size",
  "files.trash",
  "tree.open",
  "tree.look",
  "tree.answer",
  "tree.read",
  "tree.pieces",
  "tree.commit",
  "tree.wait",
  "tree.close",
  "access.whoami",
];

test.each(
  Object.keys(CALLS)
    .filter(isCallName)
    .filter((name) => !FOR_READERS.includes(name)),
)("a token to read is refused %s, whatever it sends", async (name) => {
  const { text } = await lend({ right: "read" });
  expect(await askAnything(text, name, ANYTHING)).toMatch(/^(scope_too_small|owner_only)$/);
  expect(await askAnything(text, name, {})).toMatch(/^(scope_too_small|owner_only)$/);
});

const FOLDER_CALLS = Object.keys(CALLS)
  .filter(isCallName)
  .filter((name) =>
    /"(workspace|folder)"/.test(JSON.stringify(Object.keys(CALLS[name].input.shape))),
  );

test.each(FOLDER_CALLS)("%s takes a folder, and from afar none of the server's", async (name) => {
  await stage.calls.access.addUser("lead", true).catch(() => undefined); // They are there already.
  const { text } = await lend({ user: "lead", right: "admin" });
  const input = { ...ANYTHING, prefer: "local", force: true, paths: [], searchPath: "" };
  expect(await askAnything(text, name, input)).toBe("owner_only");
});

test("after all of that both trees hold what they held", async () => {
  expect(FOLDER_CALLS.length).toBeGreaterThanOrEqual(8);
  for (const app of ["shop", "blog"])
    expect(await readFile(path.join(folderOf(app), "notes.txt"), "utf8")).toBe(`of ${app}\n`);
  await ask(shops.text, "tree.open", SHOPS);
  const looked = await look(shops.text, SHOPS);
  expect(looked).toMatchObject(LOOKED);
  expect(JSON.stringify(looked)).not.toContain("left-behind");
});
