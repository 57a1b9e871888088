import { Agent, request } from "node:http";

import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

import { Stage, TestTarget } from "./test-stage.ts";

const TENANTS = ["x", "y"] as const;
type Tenant = (typeof TENANTS)[number];
const REQUESTS = 10_000;
const AT_ONCE = 32;

let stage: Stage;
let port: number;
const seen: Record<Tenant, string[]> = { x: [], y: [] };

beforeEach(async () => {
  stage = new Stage();
  const open = async (tenant: Tenant): Promise<TestTarget> => {
    seen[tenant] = [];
    const upstream = await stage.upstream((incoming, response) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
      incoming.on("end", () => {
        seen[tenant].push(`${incoming.url} ${body}`);
        response.end(`${tenant} ${incoming.url} ${body}`);
      });
    });
    new WebSocketServer({ server: upstream.server }).on("connection", (socket: WebSocket) => {
      socket.on("message", (message) => {
        const text = textOf(message);
        seen[tenant].push(text);
        socket.send(`${tenant} ${text}`);
      });
    });
    return new TestTarget(tenant, upstream.port);
  };
  const gateway = await stage.gateway({
    "shop--x.localhost": await open("x"),
    "shop--y.localhost": await open("y"),
  });
  port = gateway.port;
});
afterEach(async () => stage.close());

test("of ten thousand mixed requests on shared connections each tenant sees its own alone", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const wrong: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let n = next++; n < REQUESTS; n = next++) {
      const tenant = TENANTS[n % 2] ?? "x";
      const body = n % 3 === 0 ? `GET /smuggled-${n} HTTP/1.1` : "";
      const answer = await ask(agent, { tenant, path: `/${tenant}-${n}`, body });
      if (answer !== `${tenant} /${tenant}-${n} ${body}`) wrong.push(answer);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  agent.destroy();
  expect(wrong).toEqual([]);
  for (const tenant of TENANTS) {
    expect(seen[tenant]).toHaveLength(REQUESTS / 2);
    expect(seen[tenant].every((line) => line.startsWith(`/${tenant}-`))).toBe(true);
  }
}, 120_000);

test("the same for WebSockets", async () => {
  await Promise.all(Array.from({ length: 100 }, (_, n) => talk(n)));
  for (const tenant of TENANTS)
    expect(seen[tenant].every((line) => line.startsWith(`${tenant}-`))).toBe(true);
});

function ask(
  agent: Agent,
  { tenant, path, body }: { tenant: Tenant; path: string; body: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const method = body === "" ? "GET" : "POST";
    const options = { host: "127.0.0.1", port, agent, path, method };
    const headers = { host: `shop--${tenant}.localhost`, "content-length": body.length };
    const outgoing = request({ ...options, headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => resolve(text));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function talk(n: number): Promise<void> {
  const tenant = TENANTS[n % 2] ?? "x";
  const headers = { host: `shop--${tenant}.localhost` };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers });
  const heard = await new Promise<string>((resolve, reject) => {
    socket.once("error", reject).once("open", () => socket.send(`${tenant}-${n}`));
    socket.once("message", (message) => resolve(textOf(message)));
  });
  expect(heard).toBe(`${tenant} ${tenant}-${n}`);
  socket.close();
}

function textOf(message: unknown): string {
  return message instanceof Buffer ? message.toString() : "";
}
