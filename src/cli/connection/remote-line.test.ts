import { mkdtemp } from "node:fs/promises";
import type { Server as PlainServer } from "node:http";
import { createServer } from "node:https";
import type { Server } from "node:https";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo, Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createServerCertificate } from "../../base/certificates.ts";
import type { KeyPair } from "../../base/certificates.ts";
import { Problem } from "../../base/problem.ts";
import { removeInside } from "../../base/remove-inside.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../protocol/headers.ts";
import type { RemoteServer, Trust } from "../terminal/context.ts";
import { callServer } from "./client.ts";

const TOKEN = "ramet_000000000000_correct-horse-battery-staple-correct-horse-";
const DAY_MS = 24 * 60 * 60 * 1000;
const NOBODY: Trust = { authority: null, pinned: null };

/** What a server was shown, and how it answers. */
type Listener = { readonly url: string; readonly heard: string[]; close(): void };

let folder: string;
let own: KeyPair;
let other: KeyPair;
const open: Listener[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-line-"));
  [own, other] = await Promise.all([makePair(["127.0.0.1"]), makePair(["127.0.0.1"])]);
});
afterAll(async () => {
  for (const one of open) one.close();
  await removeInside(path.dirname(folder), folder);
});

async function makePair(hosts: [string, ...string[]], ageMs = 0): Promise<KeyPair> {
  const now = Date.now() - ageMs;
  const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
  return createServerCertificate(hosts, { validity, authority: null });
}

type Answer = { readonly status: number; readonly headers?: Record<string, string>; body?: string };
const VERSION = { [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) };

async function listenTls(pair: KeyPair, answer: Answer): Promise<Listener> {
  const heard: string[] = [];
  const server = createServer({ key: pair.key, cert: pair.certificate }, (request, response) => {
    heard.push(`${request.url} ${request.headers[TOKEN_HEADER]}`);
    response.writeHead(answer.status, answer.headers ?? VERSION);
    response.end(answer.body ?? '{"result":[]}\n');
  });
  return opened(server, heard, "https");
}

async function opened(
  server: Server | PlainServer | NetServer,
  heard: string[],
  scheme: string,
): Promise<Listener> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const listener = {
    url: `${scheme}://127.0.0.1:${portOf(server.address())}`,
    heard,
    close: () => void server.close(),
  };
  open.push(listener);
  return listener;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("It listens on no port.");
  return address.port;
}

async function ask(url: string, trust: Trust): Promise<string> {
  const server: RemoteServer = { url, token: TOKEN, trust };
  try {
    return JSON.stringify(await callServer(server, { name: "app.list", input: {} }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const isTold = `${error.message} ${error.remedy}`.includes(TOKEN);
    return isTold ? "it tells the token" : error.code;
  }
}

test("a server is believed by its authority, and when it is the very one that was pinned", async () => {
  const { url, heard } = await listenTls(own, { status: 200 });
  expect(await ask(url, { authority: own.certificate, pinned: null })).toBe("[]");
  expect(await ask(url, { authority: null, pinned: own.certificate })).toBe("[]");
  expect(heard).toEqual([`/calls/app.list ${TOKEN}`, `/calls/app.list ${TOKEN}`]);
});

test("whoever cannot prove whose it is, hears nothing", async () => {
  const { url, heard } = await listenTls(own, { status: 200 });
  const expired = await makePair(["127.0.0.1"], 3 * DAY_MS);
  const named = await makePair(["ramet.test"]);
  const strangers: readonly (readonly [string, Trust, Listener | undefined])[] = [
    [url, NOBODY, undefined],
    [url, { authority: other.certificate, pinned: null }, undefined],
    [url, { authority: null, pinned: other.certificate }, undefined],
    [
      (await listenTls(expired, { status: 200 })).url,
      { authority: expired.certificate, pinned: null },
      open.at(-1),
    ],
    [
      (await listenTls(named, { status: 200 })).url,
      { authority: named.certificate, pinned: null },
      open.at(-1),
    ],
  ];
  for (const [address, trust, listener] of strangers) {
    expect(await ask(address, trust)).toBe("server_untrusted");
    expect(listener?.heard ?? heard).toEqual([]);
  }
  // The same listener hears those who do believe it: what kept the others silent was the proof.
  await ask(url, { authority: own.certificate, pinned: null });
  expect(heard).toHaveLength(1);
});

test("what is wrong with a certificate decides what is said to be done about it", async () => {
  const remedies: string[] = [];
  for (const pair of [await makePair(["127.0.0.1"], 3 * DAY_MS), await makePair(["ramet.test"])]) {
    const { url } = await listenTls(pair, { status: 200 });
    const trust = { authority: pair.certificate, pinned: null };
    const asked = callServer({ url, token: TOKEN, trust }, { name: "app.list", input: {} });
    remedies.push(await asked.then(String, (error: unknown) => String(Object(error).remedy)));
  }
  expect(remedies).toEqual([
    expect.stringContaining("renew its certificate"),
    expect.stringContaining("by a name, or an address, that its certificate has"),
  ]);
});

test("who took the server's port and speaks no TLS gets no token", async () => {
  const heard: string[] = [];
  const squatter = createNetServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => void heard.push(bytes.toString("latin1")));
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  const { url } = await opened(squatter, heard, "https");
  expect(await ask(url, NOBODY)).toBe("server_untrusted");
  const asked = callServer({ url, token: TOKEN, trust: NOBODY }, { name: "app.list", input: {} });
  await expect(asked).rejects.toThrow("it speaks no TLS that fits");
  expect(heard.join("")).not.toContain("ramet_");
});

test.each([301, 302, 303, 307, 308])(
  "a redirect (%d) is not followed, wherever it leads",
  async (status) => {
    const elsewhere = await listenTls(own, { status: 200 });
    const location = `${elsewhere.url}/calls/app.list`;
    const { url } = await listenTls(own, { status, headers: { ...VERSION, location } });
    expect(await ask(url, { authority: own.certificate, pinned: null })).toBe("server_elsewhere");
    expect(elsewhere.heard).toEqual([]);
  },
);

test.each([
  [200, "text/html"],
  [404, "text/html"],
  [502, "text/html"],
])("a page with %d is no server of Ramet", async (status, type) => {
  const { url } = await listenTls(own, {
    status,
    headers: { "content-type": type },
    body: "<html>",
  });
  expect(await ask(url, { authority: own.certificate, pinned: null })).toBe("server_other");
});

test.each([
  [PROTOCOL_VERSION + 1, "Upgrade this command"],
  [PROTOCOL_VERSION - 1, "Ask whoever keeps the server to upgrade"],
])("a server that speaks protocol %d: it is said who must upgrade", async (version, remedy) => {
  const { url } = await listenTls(own, {
    status: 200,
    headers: { [PROTOCOL_HEADER]: String(version) },
  });
  const server = { url, token: TOKEN, trust: { authority: own.certificate, pinned: null } };
  await expect(callServer(server, { name: "app.list", input: {} })).rejects.toMatchObject({
    code: "protocol_differs",
    remedy: expect.stringContaining(remedy),
  });
});

test("where nobody listens, that is said with the server's URL", async () => {
  const listener = await listenTls(own, { status: 200 });
  listener.close();
  expect(await ask(listener.url, NOBODY)).toBe("server_unreachable");
});
