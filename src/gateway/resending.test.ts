import { afterEach, expect, test } from "vitest";

import { MAX_RESENDS } from "./limits.ts";
import { ask, Stage, TestTarget } from "./test-stage.ts";

const HOST = "shop--x.localhost";

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function openTo(listener: Parameters<Stage["upstream"]>[0]): Promise<number> {
  const upstream = await stage.upstream(listener);
  const { port } = await stage.gateway({ [HOST]: new TestTarget("shop--x", upstream.port) });
  return port;
}

test("a target that closes without an answer is asked a few times for a GET, never again for a POST", async () => {
  const methods: string[] = [];
  const port = await openTo((incoming) => {
    methods.push(incoming.method ?? "");
    incoming.socket.destroy();
  });
  expect(await ask(port, HOST, { method: "POST", body: "pay" })).toMatchObject({ status: 502 });
  expect(methods).toEqual(["POST"]);
  const { status, body } = await ask(port, HOST);
  expect({ status, body: JSON.parse(body) }).toMatchObject({
    status: 502,
    body: { problem: { code: "app_connection_lost" } },
  });
  expect(methods).toEqual(["POST", ...Array.from({ length: 1 + MAX_RESENDS }, () => "GET")]);
});

test("a page that is asked for while its server restarts twice is answered", async () => {
  let asked = 0;
  const port = await openTo((incoming, response) => {
    asked += 1;
    if (asked <= 2) incoming.socket.destroy();
    else response.end("restarted");
  });
  expect(await ask(port, HOST)).toMatchObject({ status: 200, body: "restarted" });
});

test("a GET that ends the process each time is sent twice, no more", async () => {
  let asked = 0;
  const target = new TestTarget("shop--x", { kind: "starting" });
  const upstream = await stage.upstream((incoming) => {
    asked += 1;
    if (asked === 2) target.become({ kind: "starting" });
    incoming.socket.destroy();
  });
  target.become({ kind: "ready", port: upstream.port, inlet: null });
  const { port } = await stage.gateway({ [HOST]: target });
  expect(await ask(port, HOST)).toMatchObject({ status: 502 });
  expect(asked).toBe(2);
});
