import { request } from "node:http";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exchange, headersOf, openAfarStage } from "../../../test/journeys/afar-stage.ts";
import type { AfarStage } from "../../../test/journeys/afar-stage.ts";

const HOST = "ramet.example.com";
const SETTING = {
  app: "shop",
  environment: "development",
  variables: [{ name: "MODE", value: "plain" }],
  secret: false,
};

let stage: AfarStage;
let listener: { port: number; close(): Promise<void> };

beforeAll(async () => {
  stage = await openAfarStage();
  const cover = { kind: "proxy", url: new URL(`https://${HOST}`) } as const;
  listener = await stage.open({ listening: { host: "127.0.0.1", port: 0, cover } });
});
afterAll(async () => {
  await listener.close();
  await stage.close();
});

type Asked = { readonly host?: string; readonly forwarded?: string };

/** As a proxy passes a call on. */
async function pass({ host = HOST, forwarded }: Asked): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const said = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  const sent = request(
    {
      host: "127.0.0.1",
      port: listener.port,
      path: "/calls/variable.set",
      method: "POST",
      headers: { ...Object.fromEntries(headersOf(stage.token)), host, ...said },
    },
    (response) => {
      let text = `${response.statusCode} `;
      response.on("data", (chunk) => void (text += String(chunk))).on("end", () => resolve(text));
    },
  );
  sent.on("error", reject).end(JSON.stringify(SETTING));
  return promise;
}

async function lastAddress(): Promise<string | null | undefined> {
  return (await stage.calls.access.audit.read(1)).at(-1)?.address;
}

test("a call for the URL's own host is answered, and for no other", async () => {
  expect(await pass({})).toMatch(/^200 .*"result"/);
  expect(await pass({ host: `${HOST}:443` })).toMatch(/^200 /);
  for (const host of ["127.0.0.1", "localhost", `x.${HOST}`, "evil.example"])
    expect(await pass({ host })).toMatch(/^421 /);
});

test.each([
  ["the last address, which the proxy has added", "10.0.0.7", "10.0.0.7"],
  ["none of those that a client has said before it", "1.2.3.4, 10.0.0.7", "10.0.0.7"],
  ["an address of IPv6", "fd00::7", "fd00::7"],
  ["the proxy's own where it says none", undefined, "127.0.0.1"],
  ["the proxy's own where it says nonsense", "me, <script>", "127.0.0.1"],
] as const)("a write is noted with %s", async (_, forwarded, address) => {
  await pass(forwarded === undefined ? {} : { forwarded });
  expect(await lastAddress()).toBe(address);
});

test("in TLS a client's word on where it comes from counts for nothing", async () => {
  const headers = [...headersOf(stage.token), ["x-forwarded-for", "1.2.3.4"] as const];
  const body = JSON.stringify(SETTING);
  await exchange(stage.port, stage.certificate, { headers, body, call: "variable.set" });
  expect(await lastAddress()).toBe("127.0.0.1");
});
