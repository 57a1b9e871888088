import { connect } from "node:tls";

import { afterAll, beforeAll, expect, test } from "vitest";

import { headersOf, NAME, openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage, Headers } from "../../../test/journeys/afar-stage.ts";
import type { NewToken } from "../../access/access.ts";
import { DATABASE_TUNNEL, PROTOCOL_HEADER } from "../../protocol/headers.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const SHOP = "/databases/shop/development";

let stage: AfarStage;

beforeAll(async () => {
  stage = await openAfarStage();
});
afterAll(async () => stage.close());

/** As the command line asks for one. */
function asking(token: string): Headers {
  const common = headersOf(token).filter(([name]) => name !== "content-type");
  return [...common, ["connection", "Upgrade"], ["upgrade", DATABASE_TUNNEL]];
}

type Asked = { readonly path?: string; readonly method?: string; readonly headers: Headers };

async function ask({ path = SHOP, method = "GET", headers }: Asked): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const ca = [stage.certificate];
  const socket = connect({ host: "127.0.0.1", port: stage.port, ca, servername: NAME });
  let answer = "";
  socket
    .on("data", (chunk) => void (answer += String(chunk)))
    .on("end", () => resolve(answer))
    .on("error", reject)
    .write(
      `${method} ${path} HTTP/1.1\r\n${headers.map(([name, text]) => `${name}: ${text}\r\n`).join("")}\r\n`,
    );
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

async function lend(changes: Partial<NewToken>): Promise<string> {
  const wanted = { label: null, apps: null, right: "write", lifeMs: DAY_MS } as const;
  const made = await stage.calls.access.createToken({ user: "anna", ...wanted, ...changes });
  return made.text;
}

test("an environment without a database says so, and the connection ends", async () => {
  const answer = await ask({ headers: asking(stage.token) });
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  expect(answer).toContain("database_none");
});

test.each([
  ["nothing to show", ""],
  ["a token of nobody", "ramet_000000000000_x"],
])("with %s none is made", async (_, token) => {
  expect(await ask({ headers: asking(token) })).toContain("token_refused");
});

test("a token to read, or for another app, makes none", async () => {
  const [reader, stranger] = [await lend({ right: "read" }), await lend({ apps: ["blog"] })];
  for (const token of [reader, stranger])
    expect(await ask({ headers: asking(token) })).toContain("scope_too_small");
});

test.each([
  { path: "/databases/shop" },
  { path: "/databases/shop/development/x" },
  { path: "/databases/shop/..%2fx" },
  { path: "/databases/../shop/development" },
  { path: "/calls/app.list" },
  { path: "/" },
  { method: "POST" },
  { method: "OPTIONS" },
])("there is no tunnel by %j", async (changes) => {
  const answer = await ask({ ...changes, headers: asking(stage.token) });
  expect(answer).toMatch(/^HTTP\/1\.1 4/);
  expect(answer).not.toContain("101");
});

test("another environment's name is told to be none", async () => {
  const headers = asking(stage.token);
  expect(await ask({ path: "/databases/shop/nowhere", headers })).toContain("environment_unknown");
});

test("a client of another version is told so", async () => {
  const headers = asking(stage.token).map(([name, text]) =>
    name === PROTOCOL_HEADER ? ([name, "99"] as const) : ([name, text] as const),
  );
  expect(await ask({ headers })).toContain("protocol_mismatch");
});

test.each([
  ["a WebSocket of a page", [["origin", "https://evil.example"]]],
  ["one of the server's own name", [["origin", `https://${NAME}`]]],
  ["a handshake", [["sec-websocket-key", "x"]]],
  ["what a browser says of itself", [["sec-fetch-mode", "websocket"]]],
  ["a cookie", [["cookie", "a=b"]]],
] as const)("%s becomes no tunnel", async (_, others) => {
  const answer = await ask({ headers: [...asking(stage.token), ...others] });
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  expect(answer).toContain("request_screened");
});

test("nor does what was led here by another name", async () => {
  const headers = asking(stage.token).map(([name, text]) =>
    name === "host" ? ([name, "evil.example"] as const) : ([name, text] as const),
  );
  expect(await ask({ headers })).toMatch(/^HTTP\/1\.1 421 /);
});

test("who asked for one is written down, also where they were refused", async () => {
  const entries = await stage.calls.access.audit.read(1_000);
  const told = entries.map(({ user, call, app, outcome }) => `${user} ${call} ${app} ${outcome}`);
  expect(told).toContain("anna database.tunnel shop scope_too_small");
});
