import { once } from "node:events";
import { createServer } from "node:http";
import { type Server, connect } from "node:net";

import { afterEach, expect, test } from "vitest";

import { findFreePort } from "../process/process.ts";
import { OwnAddressServer } from "./own-addresses.ts";

let servers: Server[] = [];
let own: OwnAddressServer | undefined;

afterEach(() => {
  own?.close();
  for (const server of servers) server.close();
  servers = [];
});

async function serve(name: string): Promise<number> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => response.end(`${name} ${request.url} ${body.length}`));
  });
  server.listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function open(): Promise<number> {
  const port = await findFreePort();
  const hosts = {
    "shop--x.localhost": await serve("web"),
    "api.shop--x.localhost": await serve("api"),
  };
  own = new OwnAddressServer({ port, hosts: { ...hosts, "down.localhost": await findFreePort() } });
  await own.open();
  return port;
}

async function send(port: number, pieces: readonly string[], host = "127.0.0.1"): Promise<string> {
  const socket = connect({ host, port });
  socket.on("error", () => undefined);
  for (const piece of pieces) socket.write(piece);
  let heard = "";
  socket.on("data", (chunk) => (heard += String(chunk)));
  await new Promise((resolve) => socket.once("close", resolve));
  return heard;
}

const GET = "GET /path HTTP/1.1\r\nConnection: close\r\n";

test.each([
  ["shop--x.localhost", "web"],
  ["SHOP--X.localhost:7420", "web"],
  ["api.shop--x.localhost:7420", "api"],
])("a request for %s is answered by %s", async (host, name) => {
  const port = await open();
  for (const address of ["127.0.0.1", "::1"])
    expect(await send(port, [`${GET}Host: ${host}\r\n\r\n`], address)).toContain(`${name} /path 0`);
});

test.each(["shop--y.localhost", "localhost", "down.localhost", "toString", ""])(
  "a request for %j, which is none of its own that listen, is answered by nobody",
  async (host) => {
    expect(await send(await open(), [`${GET}Host: ${host}\r\n\r\n`])).toBe("");
  },
);

test("a request's header may come in pieces, and its body behind it is not lost", async () => {
  const port = await open();
  const body = "x".repeat(200_000);
  const header = `POST /upload HTTP/1.1\r\nConnection: close\r\nContent-Length: ${body.length}\r\nHost: shop--x.localhost\r\n\r\n`;
  const pieces = header.match(/[^]{1,7}/g) ?? [];
  expect(await send(port, [...pieces, body])).toContain("web /upload 200000");
});

test("a header without an end is given up", async () => {
  expect(await send(await open(), [`GET / HTTP/1.1\r\nX: ${"x".repeat(100_000)}`])).toBe("");
});

test("where one of its own listens already it is left alone", async () => {
  const port = await serve("itself");
  own = new OwnAddressServer({ port, hosts: {} });
  await own.open();
  expect(await send(port, [`${GET}Host: anything\r\n\r\n`])).toContain("itself");
});
