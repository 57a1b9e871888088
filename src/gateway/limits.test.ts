import { createServer, type RequestListener } from "node:http";

import { Pool } from "undici";
import { afterEach, expect, test } from "vitest";

import { forward, type Forwarding, type Unanswered } from "./forward.ts";
import { MAX_ACTIVE_PER_TARGET, MAX_WAITING } from "./limits.ts";
import { Router } from "./router.ts";
import { ask, Stage, TestTarget } from "./test-stage.ts";
import { type Upstream, Upstreams } from "./upstreams.ts";

const HOST = "shop--x.localhost";

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function openRouter(
  target: TestTarget,
  means: { upstreams: Upstreams; waits: Set<AbortController> },
): Promise<number> {
  const router = new Router(() => target, { ...means, waitMs: 100 });
  const { port } = await stage.upstream(router.serve.bind(router));
  return port;
}

test("a target with as many requests open as it may have gets no more, until one ends", async () => {
  const { port } = await stage.upstream((_, response) => response.end("room"));
  const upstreams = new Upstreams();
  const upstream = upstreams.at("shop--x", { port, inlet: null });
  const gateway = await openRouter(new TestTarget("shop--x", port), {
    upstreams,
    waits: new Set(),
  });

  upstream.active = MAX_ACTIVE_PER_TARGET;
  const { status, headers, body } = await ask(gateway, HOST);
  expect({ status, headers, body: JSON.parse(body) }).toMatchObject({
    status: 503,
    headers: { "retry-after": "1" },
    body: { problem: { code: "too_many_requests" } },
  });

  upstream.active = MAX_ACTIVE_PER_TARGET - 1;
  expect(await ask(gateway, HOST)).toMatchObject({ status: 200, body: "room" });
  expect(upstream.active).toBe(MAX_ACTIVE_PER_TARGET - 1);
  await upstreams.close();
});

test("when as many requests wait as may, the next is told to come back", async () => {
  const waits = new Set(Array.from({ length: MAX_WAITING }, () => new AbortController()));
  const upstreams = new Upstreams();
  const gateway = await openRouter(new TestTarget("shop--x", { kind: "starting" }), {
    upstreams,
    waits,
  });
  const { status, body } = await ask(gateway, HOST);
  expect({ status, body: JSON.parse(body) }).toMatchObject({
    status: 503,
    body: { problem: { code: "too_many_waiting" } },
  });
  await upstreams.close();
});

/** Forwards one request by hand, and tells how it ended. */
async function forwardOnce(
  listener: RequestListener,
  change: (forwarding: Forwarding) => Forwarding,
): Promise<Unanswered | undefined> {
  const { port } = await stage.upstream(listener);
  const pool = new Pool(`http://127.0.0.1:${port}`, { headersTimeout: 200 });
  const upstream: Upstream = { pool, active: 0, usedAtMs: 0 };
  const { promise, resolve } = Promise.withResolvers<Unanswered | undefined>();
  const server = createServer((request, response) => {
    const accepted = {
      kind: "accepted",
      method: "GET",
      path: "/",
      host: HOST,
      hostname: HOST,
      headers: request.rawHeaders,
      hasBody: false,
      hops: 0,
    } as const;
    const events = {
      onAnswer: () => undefined,
      onUse: () => undefined,
      onSent: () => undefined,
      onVerdict: () => undefined,
    };
    const client = { address: "127.0.0.1", isEncrypted: false };
    const forwarding = { request, response, client, accepted, upstream, upgrade: null, ...events };
    const over = forward(change(forwarding));
    resolve(over.finally(() => response.end()));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await ask(address === null || typeof address === "string" ? 0 : address.port, HOST);
  await new Promise((done) => server.close(done));
  await pool.destroy();
  expect(upstream.active).toBe(0);
  return promise;
}

test("a target that takes a request and never answers is given up after the limit", async () => {
  expect(
    await forwardOnce(
      () => undefined,
      (forwarding) => forwarding,
    ),
  ).toBe("silent");
});

test("a target path that could be read as two lines is not sent", async () => {
  let reached = 0;
  const listener: RequestListener = (_, response) => {
    reached += 1;
    response.end();
  };
  const unanswered = await forwardOnce(listener, (forwarding) => ({
    ...forwarding,
    accepted: { ...forwarding.accepted, path: "/ HTTP/1.1\r\nX: y" },
  }));
  expect({ unanswered, reached }).toEqual({ unanswered: "invalid", reached: 0 });
});
