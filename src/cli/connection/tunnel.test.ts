import { createServer } from "node:https";
import type { Server } from "node:https";
import { connect, createServer as createNetServer } from "node:net";
import type { Duplex } from "node:stream";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createServerCertificate } from "../../base/certificates.ts";
import type { Problem } from "../../base/problem.ts";
import { DATABASE_TUNNEL, PROTOCOL_HEADER, TOKEN_HEADER } from "../../protocol/headers.ts";
import type { RemoteServer } from "../terminal/context.ts";
import { openTunnel } from "./tunnel.ts";
import type { Tunnel } from "./tunnel.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const TARGET = { app: "shop", environment: "agent" };
const REFUSAL = { code: "scope_too_small", message: "Not for this.", remedy: "Ask." };

let server: Server;
let remote: RemoteServer;
const asked: string[] = [];
const open = new Set<Duplex>();
/** What it does with one that asks. */
let answer: (socket: Duplex) => void;

/** Says back what it hears. */
function echo(socket: Duplex): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${DATABASE_TUNNEL}\r\n\r\nhello `,
  );
  socket.pipe(socket);
}

function refuse(socket: Duplex): void {
  const body = `${JSON.stringify({ problem: REFUSAL })}\n`;
  socket.end(
    `HTTP/1.1 403 Refused\r\n${PROTOCOL_HEADER}: 1\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

beforeAll(async () => {
  const now = Date.now();
  const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
  const pair = await createServerCertificate(["127.0.0.1"], { validity, authority: null });
  server = createServer({ key: pair.key, cert: pair.certificate });
  server.on("upgrade", (request, socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => open.delete(socket));
    asked.push(`${request.url} ${request.headers.upgrade} ${request.headers[TOKEN_HEADER]}`);
    answer(socket);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const trust = { authority: pair.certificate, pinned: null };
  remote = { url: `https://127.0.0.1:${port}`, token: "ramet_a_b", trust };
});
afterAll(() => {
  for (const socket of open) socket.destroy();
  server.close();
});

async function opened(problems: Problem[] = []): Promise<Tunnel> {
  const onProblem = (problem: Problem): void => void problems.push(problem);
  return openTunnel(remote, TARGET, { port: null, onProblem });
}

/** All that comes back for these words, until the other side ends. */
async function say(port: number, words: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: "127.0.0.1", port });
  let heard = "";
  socket
    .on("data", (chunk) => {
      heard += String(chunk);
      if (heard.endsWith(words)) socket.end();
    })
    .on("error", () => socket.destroy())
    .on("close", () => resolve(heard))
    .write(words);
  return promise;
}

test("what a client says before the way is open arrives, and what comes with the way does too", async () => {
  answer = echo;
  asked.length = 0;
  const tunnel = await opened();
  expect(await say(tunnel.port, "select 1")).toBe("hello select 1");
  expect(asked).toEqual([`/databases/shop/agent ${DATABASE_TUNNEL} ramet_a_b`]);
  tunnel.close();
});

test("each connection goes by one of its own", async () => {
  answer = echo;
  asked.length = 0;
  const tunnel = await opened();
  const words = Array.from({ length: 20 }, (_, index) => `select ${index};`);
  const heard = await Promise.all(words.map(async (one) => say(tunnel.port, one)));
  expect(heard).toEqual(words.map((one) => `hello ${one}`));
  expect(asked).toHaveLength(20);
  tunnel.close();
});

test("a refusal is told, and the client's connection ends", async () => {
  answer = refuse;
  const problems: Problem[] = [];
  const tunnel = await opened(problems);
  expect(await say(tunnel.port, "select 1")).toBe("");
  expect(problems.map((problem) => problem.toFields())).toEqual([REFUSAL]);
  tunnel.close();
});

test("a server that goes away in between ends the client's connection, and that is told", async () => {
  answer = (socket) => socket.destroy();
  const problems: Problem[] = [];
  const tunnel = await opened(problems);
  expect(await say(tunnel.port, "select 1")).toBe("");
  expect(problems.map(({ code }) => code)).toEqual(["connection_lost"]);
  tunnel.close();
});

test("closing it ends what goes through it, and frees its port", async () => {
  answer = echo;
  const tunnel = await opened();
  const ending = say(tunnel.port, "never said back\u0000");
  tunnel.close();
  expect(await ending).not.toContain("said");
  const again = await openTunnel(remote, TARGET, { port: tunnel.port, onProblem: () => undefined });
  expect(again.port).toBe(tunnel.port);
  again.close();
});

test("a port that is taken is a problem that says which", async () => {
  const holder = createNetServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  holder.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = holder.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await expect(
    openTunnel(remote, TARGET, { port, onProblem: () => undefined }),
  ).rejects.toMatchObject({
    code: "local_port_taken",
    message: expect.stringContaining(String(port)),
  });
  holder.close();
});
