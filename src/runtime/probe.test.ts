import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";

import { afterEach, expect, test } from "vitest";

import { findFreePort } from "../process/process.ts";
import { probeHttp, probePort } from "./probe.ts";

const LIMIT_MS = 20_000;
const servers = new Set<Server>();
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  servers.clear();
  sockets.clear();
});

/** A server that does this with each connection. */
async function serve(talk: (socket: Socket) => void, host = "127.0.0.1"): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {
      // The one who asked hangs up when it has heard enough.
    });
    talk(socket);
  }).listen(0, host);
  servers.add(server);
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens on TCP.");
  return address.port;
}

function signal(): AbortSignal {
  return AbortSignal.timeout(LIMIT_MS);
}

test.each([
  ["HTTP/1.1 200 OK\r\n\r\n", true],
  ["HTTP/1.0 204 No Content\r\n\r\n", true],
  ["HTTP/1.1 404 Not Found\r\n\r\n", true],
  ["HTTP/1.1 499\r\n\r\n", true],
  ["HTTP/1.1 500 Internal Server Error\r\n\r\n", false],
  ["HTTP/1.1 503 Unavailable\r\n\r\n", false],
  ["HTTP/2 200\r\n\r\n", false],
  ["HTTP/1.1 20 OK\r\n\r\n", false],
  ["SSH-2.0-OpenSSH_9.6\r\n", false],
  ["220 mail ESMTP\r\n", false],
  ["\n\n\n", false],
])("an answer of %j means ready: %s", async (answer, isReady) => {
  const port = await serve((socket) => {
    socket.once("data", () => socket.end(answer));
  });
  expect((await probeHttp(port, "/", signal())).isReady).toBe(isReady);
});

test("a status line that comes byte by byte is read whole", async () => {
  const port = await serve((socket) => {
    socket.setNoDelay(true);
    socket.once("data", () => {
      for (const byte of "HTTP/1.1 200 OK\r\n") socket.write(byte);
    });
  });
  expect(await probeHttp(port, "/", signal())).toEqual({ isReady: true });
});

test("a server that greets without end is cut short", async () => {
  const port = await serve((socket) => socket.write("x".repeat(1_000_000)));
  expect(await probeHttp(port, "/health", signal())).toEqual({
    isReady: false,
    why: "GET /health was not answered in HTTP",
  });
});

test("a server that hangs up, or resets, has not answered", async () => {
  const closing = await serve((socket) => socket.end());
  const resetting = await serve((socket) => socket.resetAndDestroy());
  for (const port of [closing, resetting])
    expect(await probeHttp(port, "/", signal())).toMatchObject({ isReady: false });
});

test("a server that takes the question and is silent is waited for until the signal", async () => {
  const silent = Promise.withResolvers<void>();
  const port = await serve((socket) => {
    socket.once("data", () => silent.resolve());
  });
  const stop = new AbortController();
  const asked = probeHttp(port, "/", stop.signal);
  await silent.promise;
  stop.abort(new Error("enough"));

  expect(await asked).toMatchObject({ isReady: false });
});

test("the question is one that any server understands", async () => {
  const heard = Promise.withResolvers<string>();
  const port = await serve((socket) => {
    socket.once("data", (chunk) => {
      heard.resolve(String(chunk));
      socket.end("HTTP/1.1 200 OK\r\n\r\n");
    });
  });
  await probeHttp(port, "/a?b=c", signal());
  expect(await heard.promise).toMatch(
    /^GET \/a\?b=c HTTP\/1\.1\r\nHost: localhost\r\n[^]*Connection: close\r\n\r\n$/,
  );
});

test("one that listens on IPv6 alone is found, by its port and by its answer", async () => {
  const port = await serve((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
  }, "::1");
  expect(await probePort(port, signal())).toEqual({ isReady: true });
  expect(await probeHttp(port, "/", signal())).toEqual({ isReady: true });
});

test("where nobody listens, that is what is said", async () => {
  const port = await findFreePort();
  const nobody = { isReady: false, why: `nothing listens on port ${port}` };
  expect(await probePort(port, signal())).toEqual(nobody);
  expect(await probeHttp(port, "/", signal())).toEqual(nobody);
});

test("a signal that was aborted before asks nobody", async () => {
  let connections = 0;
  const port = await serve(() => (connections += 1));
  const aborted = AbortSignal.abort();
  expect(await probePort(port, aborted)).toMatchObject({ isReady: false });
  expect(connections).toBe(0);
});
