import { createServer as createTlsServer } from "node:https";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { createServerCertificate } from "../../base/certificates.ts";
import type { KeyPair } from "../../base/certificates.ts";
import { Problem } from "../../base/problem.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/headers.ts";
import { ConnectProxy } from "../fixtures/connect-proxy.ts";
import { callServer } from "./client.ts";
import { findProxy } from "./proxies.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const TOKEN = "ramet_000000000000_correct-horse-battery-staple-correct-horse-";
const PASSWORD = "p@ss:wörd";
const USER = `anna:${encodeURIComponent(PASSWORD)}@`;
/** Known to the proxy alone. */
const NAME = "ramet.test";

let own: KeyPair;
let serverPort: number;
let impostorPort: number;
let proxy: ConnectProxy;
const heardByServer: string[] = [];
const heardByImpostor: string[] = [];
const open: NetServer[] = [];
const sockets = new Set<Duplex>();

beforeAll(async () => {
  own = await makePair();
  serverPort = await listen(createAnswerer(own, heardByServer));
  impostorPort = await listen(createAnswerer(await makePair(), heardByImpostor));
  proxy = await ConnectProxy.open(serverPort);
});
afterAll(() => {
  proxy.close();
  for (const socket of sockets) socket.destroy();
  for (const server of open) server.close();
});
beforeEach(() => {
  for (const heard of [heardByServer, heardByImpostor]) heard.length = 0;
  proxy.reset(serverPort);
});

async function makePair(): Promise<KeyPair> {
  const now = Date.now();
  const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
  return createServerCertificate([NAME], { validity, authority: null });
}

function createAnswerer({ key, certificate }: KeyPair, heard: string[]): NetServer {
  return createTlsServer({ key, cert: certificate }, (request, response) => {
    heard.push(JSON.stringify(request.headers));
    response.writeHead(200, { [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) });
    response.end('{"result":[]}\n');
  });
}

async function listen(server: NetServer): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  open.push(server);
  return portOf(server.address());
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("It listens on no port.");
  return address.port;
}

async function ask(port = proxy.port, user = USER): Promise<string> {
  const url = `https://${NAME}:${serverPort}`;
  const way = findProxy(url, { HTTPS_PROXY: `http://${user}127.0.0.1:${port}` });
  const trust = { authority: own.certificate, pinned: null };
  try {
    const server = { url, token: TOKEN, trust, proxy: way };
    return JSON.stringify(await callServer(server, { name: "app.list", input: {} }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const told = `${error.message} ${error.remedy}`;
    const secrets = [PASSWORD, encodeURIComponent(PASSWORD), TOKEN, basic()];
    return secrets.some((secret) => told.includes(secret)) ? "it tells a secret" : error.code;
  }
}

function basic(): string {
  return Buffer.from(`anna:${PASSWORD}`, "utf8").toString("base64");
}

test("a server that the proxy alone can find is reached by it, and each hears what is for it alone", async () => {
  expect(await ask()).toBe("[]");
  expect(proxy.heard).toEqual([`${NAME}:${serverPort} Basic ${basic()}`]);
  const carried = Buffer.concat(proxy.passed).toString("latin1");
  expect(carried).not.toBe("");
  expect(carried).not.toContain("ramet_");
  expect(heardByServer.join("\n")).toContain(TOKEN);
  expect(heardByServer.join("\n")).not.toMatch(/proxy|Basic/i);
});

test("a proxy without a user is shown none", async () => {
  expect(await ask(proxy.port, "")).toBe("[]");
  expect(proxy.heard).toEqual([`${NAME}:${serverPort} undefined`]);
});

test("wherever a proxy leads, whoever is there proves to be the server, or hears nothing", async () => {
  proxy.leadsTo = impostorPort;
  expect(await ask()).toBe("server_untrusted");
  expect(proxy.heard).toHaveLength(1);
  expect(heardByImpostor).toEqual([]);
});

test.each([
  ["407 Proxy Authentication Required", "proxy_refused"],
  ["403 Forbidden", "proxy_refused"],
  ["302 Found\r\nLocation: http://login.example", "proxy_refused"],
  ["502 Bad Gateway", "server_unreachable"],
  ["504 Gateway Timeout", "server_unreachable"],
])("a proxy that answers with %s", async (status, code) => {
  proxy.refusal = `HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`;
  expect(await ask()).toBe(code);
  expect(heardByServer).toEqual([]);
});

test.each([
  ["speaks something else", (socket: Socket) => void socket.end("SSH-2.0-OpenSSH_9.6\r\n")],
  ["closes at once", (socket: Socket) => void socket.end()],
  [
    "answers without end",
    (socket: Socket) => void socket.write(`HTTP/1.1 200 ${"x".repeat(1 << 20)}`),
  ],
])("what %s is no proxy", async (_, answer) => {
  const port = await listen(
    createNetServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy()).once("data", () => answer(socket));
    }),
  );
  expect(await ask(port)).toBe("proxy_unreachable");
});

test("where no proxy listens, that is said, and the server is not reached without it", async () => {
  const server = createNetServer();
  const port = await listen(server);
  server.close();
  expect(await ask(port)).toBe("proxy_unreachable");
  expect(heardByServer).toEqual([]);
});
