import { randomBytes } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exchange, headersOf, openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage, Headers } from "../../../test/journeys/afar-stage.ts";
import { findInFiles, formsOf } from "../../../test/journeys/canaries.ts";
import { TOKEN_HEADER } from "../../protocol/headers.ts";

const SHOP = { app: "shop", environment: "development" };
const COUNT = 64;

/** Each is brought to the server in another way, by what may hold a secret by right or by mistake. */
const WAYS: readonly ((canary: string) => Asked)[] = [
  (canary) => setting(canary, true),
  (canary) => ({ call: "variable.import", input: importing(canary) }),
  (canary) => ({ call: "database.query", input: { ...SHOP, sql: `select '${canary}'` } }),
  (canary) => ({ call: "database.query", input: { ...SHOP, sql: canary } }),
  // A token, or what is meant to be one, where it does not belong.
  (canary) => ({ call: "app.list", input: {}, headers: [["authorization", `Bearer ${canary}`]] }),
  (canary) => ({ call: "app.list", input: {}, headers: [["cookie", `token=${canary}`]] }),
  (canary) => ({ call: `app.list?token=${canary}`, input: {} }),
  (canary) => ({ call: "app.list", input: {}, token: canary }),
  (canary) => ({ call: "app.list", input: {}, token: `ramet_000000000000_${canary}` }),
  (canary) => ({ call: "token.revoke", input: { id: `x-${canary}` }, isNamed: true }),
  // What makes no sense is told to whoever sent it, and kept nowhere.
  (canary) => ({ call: "variable.set", input: { ...SHOP, variables: canary } }),
  (canary) => ({ call: "variable.set", input: { ...SHOP, secret: canary, variables: [] } }),
  (canary) => ({ call: canary.toLowerCase().replaceAll(/[^a-z]/g, ""), input: {} }),
  (canary) => ({ call: "app.list", body: `{"token": "${canary}"` }),
];

type Asked = {
  readonly call: string;
  readonly input?: unknown;
  readonly body?: string;
  readonly headers?: Headers;
  readonly token?: string;
  /** It is a name, which is written down as one. */
  readonly isNamed?: true;
};

let stage: AfarStage;
const log: string[] = [];
let listener: { port: number; close(): Promise<void> };

beforeAll(async () => {
  stage = await openAfarStage();
  listener = await stage.open({ log: (text) => void log.push(text) });
});
afterAll(async () => {
  await listener.close();
  await stage.close();
});

function setting(canary: string, secret: boolean): Asked {
  const variables = [{ name: `KEY_${randomBytes(4).toString("hex")}`, value: canary }];
  return { call: "variable.set", input: { ...SHOP, variables, secret } };
}

/** From a file secrets come as plain variables: it is set as a secret before, which it stays. */
function importing(canary: string): unknown {
  const source = { kind: "file", variables: { "NOT A NAME": canary } };
  return { ...SHOP, source, names: null, includeValues: true };
}

async function send(asked: Asked): Promise<string> {
  const { call, input, body = JSON.stringify(input), headers = [], token = stage.token } = asked;
  return exchange(listener.port, stage.certificate, {
    headers: [...headersOf(token), ...headers],
    body,
    call,
  });
}

/** All that a token may read, and all that it may not. */
async function readAll(): Promise<string> {
  const calls = [
    ["app.list", {}],
    ["environment.list", { app: null }],
    ["environment.show", SHOP],
    ["environment.use", { app: null }],
    ["variable.list", SHOP],
    ["access.whoami", {}],
    ["access.audit", { last: 1_000 }],
    ["token.list", {}],
    ["user.list", {}],
    ["server.status", {}],
    ["doctor", { fix: false }],
  ] as const;
  const answers = calls.map(async ([call, input]) => send({ call, input }));
  return (await Promise.all(answers)).join("\n");
}

/** Names are written down there, and one canary is used as a name. */
function isNote(file: string): boolean {
  return file.endsWith("audit.jsonl");
}

test(`of ${COUNT} secrets none is in a log, the log of writes, the register, or any answer but its own`, async () => {
  const canaries = Array.from({ length: COUNT }, () => randomBytes(24).toString("base64url"));
  for (const [index, canary] of canaries.entries()) {
    const way = WAYS[index % WAYS.length];
    if (way !== undefined) await send(way(canary));
  }
  const answers = await readAll();
  const entries = JSON.stringify(
    (await stage.calls.access.audit.read(10_000)).filter(({ call }) => call !== "token.revoke"),
  );
  const told = [...log, ...stage.calls.log, answers, entries].join("\n");
  const hits = canaries.filter((canary) => formsOf(canary).some((form) => told.includes(form)));
  expect(hits).toEqual([]);
  expect(await findInFiles(stage.calls.engine.folder, canaries, isNote)).toEqual([]);
});

test("the same search finds a secret that is written down", async () => {
  const canary = randomBytes(24).toString("base64url");
  await send(setting(canary, false));
  expect(await readAll()).toContain(canary);
  const found = await findInFiles(stage.calls.engine.folder, [canary], () => false);
  expect(found).toEqual([expect.stringMatching(/variables\.json$/)]);
});

test("a token is told once, to whoever makes it, and its text is in no file", async () => {
  const wanted = { user: "anna", label: null, apps: null, right: "read", lifeMs: 60_000 } as const;
  const { text } = await stage.calls.access.createToken(wanted);
  const headers = headersOf(text).map(([name, value]) => [name, value] as const);
  expect(headers.find(([name]) => name === TOKEN_HEADER)?.[1]).toBe(text);
  await send({ call: "app.list", input: {}, token: text });
  expect(await readAll()).not.toContain(text);
  expect(await findInFiles(stage.calls.engine.folder, [text], () => false)).toEqual([]);
});
