import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { exists } from "../../base/remove-inside.ts";
import { runDialer } from "./dialer.ts";
import { isExcepted, parseProxy, type Proxy } from "./proxy.ts";

const LIMIT_MS = 20_000;
const ended = new AbortController();
let folder: string;
let proxy: Server;
let dialer: string;
/** The heads of what the proxy was asked. */
const asked: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ramet-proxy-"));
  dialer = path.join(folder, "dialer");
  proxy = createServer((client) => void answer(client)).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = { HTTPS_PROXY: `http://ann:s%3Acret@127.0.0.1:${portOf(proxy)}` };
  void runDialer(dialer, {
    mode: 0o600,
    idleMs: LIMIT_MS,
    signal: ended.signal,
    proxy: parseProxy({ ...address, NO_PROXY: "near.example" }),
    find: async (host) => ({ "known.example": ["192.0.2.1"], "own.example": [] })[host],
  });
  await waitFor(async () => ((await exists(dialer)) ? true : undefined), { timeoutMs: LIMIT_MS });
});
afterAll(async () => {
  ended.abort();
  proxy.close();
  await rm(folder, { recursive: true });
});

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Says who was asked for, in the same breath as that it is there. */
async function answer(client: Socket): Promise<void> {
  const [head]: unknown[] = await once(client, "data");
  asked.push(String(head));
  const target = /^CONNECT (\S+)/.exec(String(head))?.[1] ?? "";
  client.on("error", () => client.destroy());
  if (target.startsWith("refused")) client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  else client.end(`HTTP/1.1 200 OK\r\nVia: x\r\n\r\nthis is ${target}`);
}

async function say(errand: object): Promise<string> {
  const socket = connect({ path: dialer, allowHalfOpen: true });
  socket.write(`${JSON.stringify(errand)}\n`);
  let heard = "";
  for await (const chunk of socket) heard += String(chunk);
  socket.destroy();
  return heard;
}

test.each([
  ["known.example", 443, "\u0001this is known.example:443"],
  ["known.example", 5432, "\u0001this is known.example:5432"],
  ["unknown.example", 443, "\u0001this is unknown.example:443"],
  ["unknown.example", 5432, ""],
  ["refused.example", 443, ""],
  // Means this machine, or is to be dialled past the proxy.
  ["own.example", 443, ""],
  ["db.near.example", 443, ""],
])("with a proxy %s:%i is dialled through it, or by nobody", async (host, port, heard) => {
  asked.length = 0;
  expect(await say({ kind: "dial", host, port })).toBe(heard);
  const isRefused = host.startsWith("refused");
  expect(asked).toHaveLength(heard === "" && !isRefused ? 0 : 1);
  for (const head of asked)
    expect(head).toContain("Proxy-Authorization: Basic YW5uOnM6Y3JldA==\r\n");
});

test.each([
  ["known.example", "true"],
  ["unknown.example", "true"],
  ["own.example", "false"],
  ["near.example", "false"],
])(
  "whether there is a %s is left to the proxy where the machine does not know",
  async (host, is) => {
    expect(await say({ kind: "resolve", host })).toBe(`${is}\n`);
  },
);

test.each([
  {},
  { HTTPS_PROXY: "" },
  { HTTPS_PROXY: "socks5://127.0.0.1:1080" },
  { HTTPS_PROXY: "nonsense" },
])("%j names no proxy that we speak to", (environment) => {
  expect(parseProxy(environment)).toBeNull();
});

test.each<[Record<string, string>, Partial<Proxy>]>([
  [{ http_proxy: "http://proxy:3128" }, { host: "proxy", port: 3128, login: null, except: [] }],
  [
    { HTTPS_PROXY: "http://[::1]", HTTP_PROXY: "http://b:1" },
    { host: "::1", port: 80 },
  ],
  [{ https_proxy: "http://a:1", HTTPS_PROXY: "http://b:2" }, { host: "a" }],
])("of %j the proxy is %j", (environment, expected) => {
  expect(parseProxy(environment)).toMatchObject(expected);
});

test("what is dialled past it is named with or without its dot, port and star", () => {
  const past = parseProxy({
    HTTP_PROXY: "http://a:1",
    NO_PROXY: "localhost, .corp.example,*.b.example:443 c",
  });
  const isPast = (host: string): boolean => past !== null && isExcepted(past, host);
  for (const host of ["localhost", "x.corp.example", "corp.example", "b.example", "c"])
    expect(isPast(host)).toBe(true);
  for (const host of ["xcorp.example", "example", "a"]) expect(isPast(host)).toBe(false);
  const all = parseProxy({ HTTP_PROXY: "http://a:1", NO_PROXY: "*" });
  expect(all !== null && isExcepted(all, "any.example")).toBe(true);
});
