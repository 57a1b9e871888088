import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { Agent, request } from "node:https";
import { connect as connectTcp } from "node:net";
import path from "node:path";
import { connect, type DetailedPeerCertificate } from "node:tls";

import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { openCertificates } from "./gateway.ts";
import { ask, type Asked, type Secure, sendRaw, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";
const DAY_MS = 24 * 60 * 60 * 1000;

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function openShop(): Promise<Secure & { readonly upstreamPort: number }> {
  const upstream = await stage.upstream((incoming, response) => {
    response.setHeader("x-proto", incoming.headers["x-forwarded-proto"] ?? "");
    incoming.pipe(response);
  });
  const sockets = new WebSocketServer({ server: upstream.server });
  sockets.on("connection", (socket: WebSocket) => {
    socket.on("message", (message) => socket.send(message));
  });
  const target = new TestTarget("shop--x", upstream.port);
  const secure = await stage.secureGateway({ [HOST]: target, [`api.${HOST}`]: target });
  return { ...secure, upstreamPort: upstream.port };
}

/** By HTTP/1.1 within TLS, the certificate checked. */
function askSecurely({ port, ca }: Secure, host: string, body = ""): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const to = { host: "127.0.0.1", port, servername: host, ca, agent: false, method: "POST" };
    const outgoing = request({ ...to, headers: { host } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function showCertificate(
  { port, ca }: Secure,
  servername: string,
): Promise<DetailedPeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername, ca, rejectUnauthorized: false });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    });
  });
}

test("one port answers http and https; the process is told which it was", async () => {
  const shop = await openShop();
  expect(await askSecurely(shop, HOST, "order")).toMatchObject({
    status: 200,
    headers: { "x-proto": "https" },
    body: "order",
  });
  expect(await ask(shop.port, HOST)).toMatchObject({ status: 200, headers: { "x-proto": "http" } });
  expect(await askSecurely(shop, `api.${HOST}`)).toMatchObject({ status: 200 });
  expect(await askSecurely(shop, "nobody--x.localhost")).toMatchObject({ status: 404 });
});

test("a client that trusts nobody of ours refuses, and one that names another machine's host is not fooled", async () => {
  const shop = await openShop();
  await expect(askSecurely({ ...shop, ca: "" }, HOST)).rejects.toThrow(/certificate/);
  await expect(askSecurely(shop, "example.com")).rejects.toThrow(/altnames|does not match/i);
  const { subjectaltname } = await showCertificate(shop, "example.com");
  expect(subjectaltname).not.toContain("example");
});

test("a certificate is for one environment and its processes, and for no longer than a browser allows", async () => {
  const shop = await openShop();
  const { subjectaltname, valid_to } = await showCertificate(shop, `api.${HOST.toUpperCase()}`);
  expect(subjectaltname).toBe(`DNS:${HOST}, DNS:*.${HOST}`);
  expect(Date.parse(valid_to) - Date.now()).toBeLessThan(398 * DAY_MS);
});

test("keys are their owner's alone; the authority stays the same until it nears its end", async () => {
  const { folder, ca } = await openShop();
  const modes = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const { mode } = await stat(path.join(folder, name));
      return [name, mode & 0o777];
    }),
  );
  expect(Object.fromEntries(modes)).toEqual({ "authority.crt": 0o644, "authority.pem": 0o600 });

  const later = (days: number): ReturnType<typeof openCertificates> =>
    openCertificates(folder, { now: () => Date.now() + days * DAY_MS });
  expect((await later(3000).requireAuthority()).certificate).toBe(ca);
  expect((await later(3640).requireAuthority()).certificate).not.toBe(ca);
});

test("WebSockets pass within TLS", async () => {
  const { port, ca } = await openShop();
  const agent = new Agent({ ca, servername: HOST });
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, { agent, headers: { host: HOST } });
  await once(socket, "open");
  socket.send("hello");
  const [data]: unknown[] = await once(socket, "message");
  expect(String(data)).toBe("hello");
  socket.close();
  await once(socket, "close");
});

test("what is smuggled within TLS is refused as without", async () => {
  const { port, ca } = await openShop();
  const socket = connect({ host: "127.0.0.1", port, servername: HOST, ca });
  await once(socket, "secureConnect");
  socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: shop--y.localhost\r\n\r\n`);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test("a broken handshake, an end within it and silence harm nobody else", async () => {
  const shop = await openShop();
  expect(
    await sendRaw(shop.port, "\u0016\u0003\u0001garbage that is no handshake", 2000),
  ).not.toContain("HTTP");
  const silent = connectTcp({ host: "127.0.0.1", port: shop.port });
  const half = connectTcp({ host: "127.0.0.1", port: shop.port });
  half.write("\u0016", "latin1");
  half.end();
  await once(half, "close");
  expect(await askSecurely(shop, HOST)).toMatchObject({ status: 200 });
  silent.destroy();
});

test("a request that arrives byte by byte is one", async () => {
  const { port } = await openShop();
  const socket = connectTcp({ host: "127.0.0.1", port });
  socket.setNoDelay(true);
  for (const byte of `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});
