import { once } from "node:events";
import { Agent, createServer, get, IncomingMessage, type ServerResponse } from "node:http";
import { networkInterfaces } from "node:os";

import { afterEach, expect, test } from "vitest";

import { waitFor } from "../base/clock.ts";
import { messageOf } from "../base/problem.ts";
import { openGateway } from "./gateway.ts";
import { ask, Stage, TestTarget } from "./test-stage.ts";
import { Upstreams } from "./upstreams.ts";

const HOST = "shop--x.localhost";
const HAS_IPV6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

test("a request reaches its target with its Host unchanged, and the answer comes back whole", async () => {
  const upstream = await stage.upstream((request, response) => {
    response.writeHead(
      207,
      "Odd",
      [
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
        ["X-Way", request.url ?? ""],
      ].flat(),
    );
    response.end(JSON.stringify(request.headers));
  });
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });

  const host = `SHOP--X.localhost:${port}`;
  const asked = await ask(port, host, {
    path: "/a//b?c=%20&d#e",
    headers: { "x-forwarded-for": "6.6.6.6" },
  });

  expect(asked).toMatchObject({ status: 207, headers: { "x-way": "/a//b?c=%20&d#e" } });
  expect(asked.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  expect(JSON.parse(asked.body)).toMatchObject({
    host,
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": host,
    "x-forwarded-proto": "http",
  });
});

test("an unknown host gets 404: a page in a browser, JSON in a program, never another environment", async () => {
  let reached = 0;
  const upstream = await stage.upstream((_, response) => {
    reached += 1;
    response.end();
  });
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });

  const page = await ask(port, "shop--y.localhost", { headers: { accept: "text/html" } });
  expect(page).toMatchObject({
    status: 404,
    headers: { "content-type": "text/html; charset=utf-8" },
  });
  expect(page.body).toContain("shop--y.localhost");

  for (const host of [
    "shop--y.localhost",
    "x.shop--x.localhost",
    "localhost",
    "127.0.0.1",
    "constructor",
    "__proto__",
  ]) {
    const { status, body } = await ask(port, host);
    expect({ status, problem: JSON.parse(body) }).toMatchObject({
      status: 404,
      problem: { problem: { code: "host_unknown" } },
    });
  }
  expect(reached).toBe(0);
});

test("three hundred requests at once to two targets are never mixed up", async () => {
  const open = async (name: string): Promise<number> => {
    const { port } = await stage.upstream((request, response) => {
      request.setEncoding("utf8").on("data", (chunk: string) => response.write(chunk));
      request.on("end", () => response.end(`|${name}|${request.url}|${request.headers.host}`));
    });
    return port;
  };
  const { port } = await stage.gateway({
    "shop--a.localhost": new TestTarget("shop--a", await open("a")),
    "shop--b.localhost": new TestTarget("shop--b", await open("b")),
  });

  const asked = await Promise.all(
    Array.from({ length: 300 }, async (_, index) => {
      const name = index % 2 === 0 ? "a" : "b";
      const host = `shop--${name}.localhost`;
      const { body } = await ask(port, host, {
        path: `/${index}`,
        method: "POST",
        body: `body ${index}`,
      });
      return { body, wanted: `body ${index}|${name}|/${index}|${host}` };
    }),
  );
  expect(asked.filter(({ body, wanted }) => body !== wanted)).toEqual([]);
});

test("a target that listens only on ::1 is reached", async ({ skip }) => {
  skip(!HAS_IPV6, "this machine has no ::1");
  const upstream = await stage.upstream((_, response) => response.end("six"), {
    host: "::1",
    port: 0,
  });
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });
  expect(await ask(port, HOST)).toMatchObject({ status: 200, body: "six" });
});

test("::1 at its port is the gateway's own, so nobody else can take it", async ({ skip }) => {
  skip(!HAS_IPV6, "this machine has no ::1");
  const { port } = await stage.gateway({});
  const answer = await fetch(`http://[::1]:${port}/`);
  expect(answer.status).toBe(404);
  await expect(
    stage.upstream((_, response) => response.end(), { host: "::1", port }),
  ).rejects.toThrow("EADDRINUSE");
});

test.each(["127.0.0.1", "::1"])(
  "a port that is taken on %s is refused, and nothing is left open",
  async (host) => {
    if (host === "::1" && !HAS_IPV6) return;
    const squatter = await stage.upstream((_, response) => response.end(), { host, port: 0 });
    const options = { host: "127.0.0.1", port: squatter.port, find: () => undefined };
    await expect(openGateway(options)).rejects.toMatchObject({ code: "EADDRINUSE" });

    await squatter.stop();
    const gateway = await openGateway(options);
    expect(gateway.port).toBe(squatter.port);
    await gateway.close();
  },
);

test("a target that is a proxy to itself ends with 508", async () => {
  let rounds = 0;
  const upstream = await stage.upstream((request, response) => {
    rounds += 1;
    const headers = { "x-ramet-hops": String(request.headers["x-ramet-hops"]) };
    void ask(gateway.port, HOST, { headers }).then(({ status, body }) =>
      response.writeHead(status).end(body),
    );
  });
  const gateway = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });

  const { status, body } = await ask(gateway.port, HOST);
  expect({ status, body: JSON.parse(body) }).toMatchObject({
    status: 508,
    body: { problem: { code: "proxy_loop" } },
  });
  expect(rounds).toBe(10);
});

test("a client's connection is kept for its next request", async () => {
  const upstream = await stage.upstream((_, response) => response.end("kept"));
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });
  const { headers } = await ask(port, HOST, { headers: { connection: "keep-alive" } });
  expect(headers).toMatchObject({ connection: "keep-alive" });
});

test("a target's new port is used at once, and the pool of the old one is closed when it is idle", async () => {
  const before = await stage.upstream((_, response) => response.end("before"));
  const after = await stage.upstream((_, response) => response.end("after"));
  const target = new TestTarget("shop--x", before.port);
  const { port } = await stage.gateway({ [HOST]: target });

  expect(await ask(port, HOST)).toMatchObject({ body: "before" });
  target.become({ kind: "ready", port: after.port, inlet: null });
  expect(await ask(port, HOST)).toMatchObject({ body: "after" });

  const upstreams = new Upstreams();
  const used = upstreams.at("a", { port: 1, inlet: null });
  expect(upstreams.at("a", { port: 1, inlet: null })).toBe(used);
  expect(upstreams.at("b", { port: 1, inlet: null })).not.toBe(used);
  used.active = 1;
  upstreams.sweep(-1);
  expect(upstreams.size).toBe(1);
  expect(upstreams.at("a", { port: 1, inlet: null })).toBe(used);
  used.active = 0;
  upstreams.sweep(-1);
  expect(upstreams.size).toBe(0);
  expect(used.pool.destroyed).toBe(true);
  await upstreams.close();
});

test("closing lets a short request end, cuts what goes on for ever, and frees the port", async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<ServerResponse>();
  let begun = 0;
  const upstream = await stage.upstream((request, response) => {
    begun += 1;
    if (request.url === "/short") open(response);
    else response.write("and on");
  });
  const gateway = await openGateway({
    host: "127.0.0.1",
    port: 0,
    find: () => new TestTarget("x", upstream.port),
  });
  const short = ask(gateway.port, HOST, { path: "/short" });
  const endless = ask(gateway.port, HOST, { path: "/endless" });
  const cut = endless.catch(messageOf);
  await waitFor(() => (begun === 2 ? true : undefined), { timeoutMs: 5000 });

  const closed = gateway.close();
  (await opened).end("done");
  expect(await short).toMatchObject({ body: "done" });
  expect(await cut).toMatch(/aborted|hang up|ECONNRESET/);
  await closed;

  const next = createServer();
  await new Promise<void>((resolve, reject) => {
    next.once("error", reject);
    next.listen(gateway.port, "127.0.0.1", resolve);
  });
  await new Promise((resolve) => next.close(resolve));
});

test("whoever comes before it is known who is there is answered once it is", async () => {
  const { promise: found, resolve: find } = Promise.withResolvers<TestTarget>();
  const { promise: asked, resolve: notice } = Promise.withResolvers<string>();
  const upstream = await stage.upstream((_, response) => void response.end("found"));
  const gateway = await openGateway({
    host: "127.0.0.1",
    port: 0,
    find: async (hostname) => {
      notice(hostname);
      return found;
    },
  });
  const answer = ask(gateway.port, HOST);
  expect(await asked).toBe(HOST);
  find(new TestTarget("x", upstream.port));
  expect(await answer).toMatchObject({ status: 200, body: "found" });
  await gateway.close();
});

test("one that leaves is free of whoever asks nothing more, and answers what was asked", async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<ServerResponse>();
  const upstream = await stage.upstream((request, response) => {
    if (request.url === "/long") begin(response);
    else response.end();
  });
  const gateway = await openGateway({
    host: "127.0.0.1",
    port: 0,
    find: () => new TestTarget("x", upstream.port),
  });
  const agent = new Agent({ keepAlive: true });
  const port = gateway.port;
  const idle = get({ host: "127.0.0.1", port, agent, headers: { host: HOST } });
  const [answer]: unknown[] = await once(idle, "response");
  if (answer instanceof IncomingMessage) answer.resume();
  const long = ask(port, HOST, { path: "/long" });
  const response = await begun;
  const left = gateway.leave();
  response.end("done");
  expect(await long).toMatchObject({ body: "done" });
  await left;
  agent.destroy();
  await gateway.close();
});

test("a fault in what finds targets is 500 for that request alone", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error): void => {
    warnings.push(warning.message);
  };
  process.on("warning", listen);
  const gateway = await openGateway({
    host: "127.0.0.1",
    port: 0,
    find: (hostname) => {
      if (hostname === HOST) throw new Error("lookup broke");
      return undefined;
    },
  });
  try {
    expect(await ask(gateway.port, HOST)).toMatchObject({ status: 500 });
    expect(await ask(gateway.port, "other.localhost")).toMatchObject({ status: 404 });
    expect(
      await waitFor(() => warnings.find((text) => text.includes("lookup broke")), {
        timeoutMs: 5000,
      }),
    ).toBeDefined();
  } finally {
    process.off("warning", listen);
    await gateway.close();
  }
});
