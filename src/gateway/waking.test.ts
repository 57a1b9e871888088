import { connect } from "node:net";

import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";

import { waitFor } from "../base/clock.ts";
import { ask, sendRaw, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";
const BROWSER = { accept: "text/html,*/*;q=0.8", "sec-fetch-mode": "navigate" };
const POLL = { "x-ramet-waiting": "1" };
const PROBLEM = {
  code: "process_failed",
  message: "web exited with code 1.",
  remedy: "See `ramet logs`.",
};

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function openAsleep(
  waitMs?: number,
): Promise<{ port: number; target: TestTarget; awaken: () => void; reached: () => number }> {
  let reached = 0;
  const upstream = await stage.upstream((_, response) => {
    reached += 1;
    response.end("awake");
  });
  const target = new TestTarget("shop--x", { kind: "asleep" });
  const { port } = await stage.gateway({ [HOST]: target }, waitMs);
  const awaken = (): void => {
    target.become({ kind: "ready", port: upstream.port, inlet: null });
  };
  return { port, target, awaken, reached: () => reached };
}

test("a program's request wakes its target, waits for it, and is answered by it", async () => {
  const { port, target, awaken } = await openAsleep();
  target.onWake = () => {
    target.become({ kind: "starting" });
    awaken();
  };
  expect(await ask(port, HOST, { method: "POST", body: "order" })).toMatchObject({
    status: 200,
    body: "awake",
  });
  expect(target.woken).toBe(1);
});

test("many requests wait for one target and all are answered", async () => {
  const { port, target, awaken } = await openAsleep();
  const asked = Promise.all(Array.from({ length: 50 }, () => ask(port, HOST)));
  await waitFor(() => (target.woken >= 50 ? true : undefined), { timeoutMs: 10_000 });
  awaken();
  expect((await asked).filter(({ body }) => body !== "awake")).toEqual([]);
});

test("a program that has waited long enough gets 503 with Retry-After and a problem", async () => {
  const { port } = await openAsleep(150);
  const { status, headers, body } = await ask(port, HOST);
  expect({ status, headers, body: JSON.parse(body) }).toMatchObject({
    status: 503,
    headers: { "retry-after": "1", "cache-control": "no-store" },
    body: { problem: { code: "environment_starting" } },
  });
});

test("a browser sees a waiting page long before a program would give up, and the app nothing", async () => {
  const { port, target, reached } = await openAsleep(60_000);
  const asleep = await ask(port, HOST, { headers: BROWSER });
  expect(asleep).toMatchObject({
    status: 503,
    headers: {
      "retry-after": "1",
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
    },
  });
  expect(asleep.body).toContain("shop--x");
  expect(asleep.body).toContain("Waking up");
  expect(target.woken).toBe(1);

  target.become({ kind: "starting" });
  const starting = await ask(port, HOST, { headers: { accept: "text/html" } });
  expect(starting.body).toContain(">Starting<");
  expect(target.woken).toBe(1);
  expect(reached()).toBe(0);
});

test("what a page loads is not shown the waiting page", async () => {
  const { port } = await openAsleep(50);
  const headers = { accept: "text/html", "sec-fetch-mode": "cors" };
  expect((await ask(port, HOST, { headers })).body).not.toContain("Waking up");
});

test("the page's question is answered by the gateway: not yet, ready, unavailable", async () => {
  const { port, target, awaken, reached } = await openAsleep();
  expect(await ask(port, HOST, { headers: POLL })).toMatchObject({
    status: 202,
    headers: { "x-ramet-state": "waiting" },
  });
  expect(target.woken).toBe(1);
  target.become({ kind: "unavailable", problem: PROBLEM });
  expect(await ask(port, HOST, { headers: POLL })).toMatchObject({
    status: 202,
    headers: { "x-ramet-state": "unavailable" },
  });
  awaken();
  expect(await ask(port, HOST, { headers: POLL })).toMatchObject({
    status: 204,
    headers: { "x-ramet-state": "ready" },
  });
  expect(reached()).toBe(0);
});

test("an unavailable target says why and what to do: on a page, and as JSON", async () => {
  const { port, target } = await openAsleep();
  target.onWake = () => {
    target.become({ kind: "unavailable", problem: PROBLEM });
  };
  const { status, body } = await ask(port, HOST);
  expect({ status, body: JSON.parse(body) }).toEqual({ status: 503, body: { problem: PROBLEM } });

  const page = await ask(port, HOST, { headers: BROWSER });
  expect(page.status).toBe(503);
  expect(page.body).toContain("web exited with code 1.");
  expect(page.body).toContain("<code>ramet logs</code>");
});

test("whoever finds that it does not answer is shown what it printed last", async () => {
  const { port, target } = await openAsleep();
  target.become({ kind: "unavailable", problem: PROBLEM });
  const line = {
    time: "2026-01-01T00:00:00.000Z",
    process: "web",
    stream: "stderr",
    level: "error",
    message: "\u001b[31mboom\u001b[39m <b>",
    fields: {},
    text: "\u001b[31mboom\u001b[39m <b>",
  } as const;
  target.printed = [line];
  const { body } = await ask(port, HOST);
  expect(JSON.parse(body)).toEqual({ problem: PROBLEM, log: [line] });
  const page = await ask(port, HOST, { headers: BROWSER });
  expect(page.body).toContain(
    '<pre><span><span class="error">boom &#60;b&#62;</span></span></pre>',
  );
});

test("a change that nobody announced is seen all the same", async () => {
  const { port, target, awaken } = await openAsleep();
  target.changed = () => new Promise(() => undefined);
  const asked = ask(port, HOST);
  await waitFor(() => (target.woken > 0 ? true : undefined), { timeoutMs: 5000 });
  awaken();
  expect(await asked).toMatchObject({ body: "awake" });
});

test("a target that is ready and refuses is tried again until it listens", async () => {
  const { port: free, stop } = await stage.upstream((_, response) => response.end());
  await stop();
  const target = new TestTarget("shop--x", free);
  const { port } = await stage.gateway({ [HOST]: target });
  const asked = ask(port, HOST, { method: "POST", body: "kept" });
  await waitFor(() => target.looks >= 3 || undefined, { timeoutMs: 5000 });
  await stage.upstream((request, response) => request.pipe(response), {
    host: "127.0.0.1",
    port: free,
  });
  expect(await asked).toMatchObject({ status: 200, body: "kept" });
});

test("a target that keeps refusing is 503: its page says where to look, and looks again", async () => {
  const { port: free, stop } = await stage.upstream((_, response) => response.end());
  await stop();
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", free) }, 150);
  const page = await ask(port, HOST, { headers: BROWSER });
  expect(page).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  expect(page.body).toContain(`port ${free}`);
  expect(page.body).toContain("<code>ramet logs</code>");
  expect(page.body).toContain("location.reload()");

  const { status, body } = await ask(port, HOST);
  expect({ status, body: JSON.parse(body) }).toMatchObject({
    status: 503,
    body: { problem: { code: "app_unreachable" } },
  });
});

test("a client that leaves while it waits is forgotten, and closing does not wait for those that stay", async () => {
  const { target } = await openAsleep();
  const waiting = new TestTarget("shop--y", { kind: "starting" });
  const gateway = await stage.gateway({ [HOST]: target, "shop--y.localhost": waiting });
  let aborted = 0;
  target.changed = (signal) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        aborted += 1;
        resolve();
      });
    });
  const leaver = connect({ host: "127.0.0.1", port: gateway.port });
  leaver.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  await waitFor(() => (target.woken > 0 ? true : undefined), { timeoutMs: 5000 });
  leaver.destroy();
  expect(await waitFor(() => (aborted > 0 ? true : undefined), { timeoutMs: 5000 })).toBe(true);

  const stayer = ask(gateway.port, "shop--y.localhost");
  await waitFor(() => (waiting.listening > 0 ? true : undefined), { timeoutMs: 5000 });
  await gateway.close();
  expect(await stayer).toMatchObject({ status: 503 });
});

test("a WebSocket waits for its target too, then gets 503", async () => {
  const { port, target } = await openAsleep(100);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
  const refusal = await new Promise((resolve) => {
    socket.on("unexpected-response", (_, response) => {
      resolve([response.statusCode, response.headers["retry-after"]]);
    });
    socket.on("error", resolve);
  });
  expect(refusal).toEqual([503, "1"]);
  expect(target.woken).toBe(1);
  socket.terminate();
});

test("a body is not invited by 100 Continue before its target is there", async () => {
  const { port } = await openAsleep(100);
  const head = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`;
  const answer = await sendRaw(port, head, 2000);
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toContain("Connection: close");
});
