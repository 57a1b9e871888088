import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { Server } from "node:https";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { createServerCertificate } from "../../base/certificates.ts";
import { exists } from "../../base/remove-inside.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../protocol/headers.ts";
import { loginFile } from "../connection/login-file.ts";
import { ConnectProxy } from "../fixtures/connect-proxy.ts";
import { createWorld } from "../fixtures/world.ts";
import type { Run, World } from "../fixtures/world.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Nothing but the proxy knows where it is. */
const NAME = "ramet.test";
const TOKEN = "ramet_3fa2b1c09d8e_good";
const PASSWORD = "not-for-the-screen";
const REPORT = { capabilities: { root: false }, leftovers: [], fixed: [] };
const WHO = {
  token: {
    id: "3fa2b1c09d8e",
    user: "anna",
    label: null,
    apps: ["shop"],
    right: "admin",
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: null,
  },
  isAdmin: true,
  version: "0.1.0",
};

let world: World;
let server: Server;
let proxy: ConnectProxy;
let url: string;
let fingerprint: string;
const heard: string[] = [];

beforeAll(async () => {
  world = await createWorld();
  const now = Date.now();
  const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
  const { key, certificate } = await createServerCertificate([NAME], { validity, authority: null });
  fingerprint = new X509Certificate(certificate).fingerprint256;
  await writeFile(path.join(world.workspace, "ca.pem"), certificate);
  server = createServer({ key, cert: certificate }, (request, response) => {
    heard.push(`${request.url} ${request.headers[TOKEN_HEADER]}`);
    response.writeHead(200, { [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) });
    const result = request.url === "/calls/doctor" ? REPORT : WHO;
    response.end(`${JSON.stringify({ result })}\n`);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  url = `https://${NAME}:${port}`;
  proxy = await ConnectProxy.open(port);
});
afterAll(async () => {
  proxy.close();
  server.close();
  await world.close();
});
beforeEach(async () => {
  await world.ramet(["logout"]);
  heard.length = 0;
  proxy.reset(proxy.leadsTo);
});

async function ramet(argv: readonly string[], more: Record<string, string> = {}): Promise<Run> {
  const HTTPS_PROXY = `http://anna:${PASSWORD}@127.0.0.1:${proxy.port}`;
  return world.ramet(argv, { environment: { HTTPS_PROXY, ...more }, input: `${TOKEN}\n` });
}

test.each([
  ["an authority of one's own", () => ["--ca", "ca.pem"]],
  ["its fingerprint", () => ["--fingerprint", fingerprint]],
])(
  "login reaches by a proxy, with %s, what cannot be reached without, and so does what follows",
  async (_, flags) => {
    const login = await ramet(["login", url, ...flags()]);
    expect(login).toMatchObject({ exitCode: 0, err: "" });
    expect(login.out).toContain(`anna at ${url}`);
    const doctor = await ramet(["doctor"]);
    expect(doctor.exitCode).toBe(0);
    expect(doctor.out).toContain(`${url}, by the proxy http://127.0.0.1:${proxy.port}`);
    const { server: way } = JSON.parse((await ramet(["doctor", "--json"])).out);
    expect(way).toEqual({ url, proxy: `http://127.0.0.1:${proxy.port}` });
    const basic = Buffer.from(`anna:${PASSWORD}`).toString("base64");
    expect(new Set(proxy.heard)).toEqual(new Set([`${NAME}:${new URL(url).port} Basic ${basic}`]));
    const asked = ["access.whoami", "doctor", "doctor"];
    expect(heard).toEqual(asked.map((call) => `/calls/${call} ${TOKEN}`));
    expect(Buffer.concat(proxy.passed).toString("latin1")).not.toContain(TOKEN);
    const kept = await readFile(loginFile(world.contextAt().home.folder), "utf8");
    for (const text of [login.out, doctor.out, doctor.err, kept])
      expect(text).not.toContain(PASSWORD);
  },
);

test("whom NO_PROXY names is asked for without the proxy, at login and after it", async () => {
  const without = { NO_PROXY: NAME };
  const login = await ramet(["login", url, "--ca", "ca.pem", "--json"], without);
  expect(login.out).toContain("server_unreachable");
  expect(await exists(loginFile(world.contextAt().home.folder))).toBe(false);
  expect((await ramet(["login", url, "--ca", "ca.pem"])).exitCode).toBe(0);
  const led = proxy.heard.length;
  const doctor = await ramet(["doctor", "--json"], without);
  expect(doctor.out).toContain("server_unreachable");
  expect(proxy.heard).toHaveLength(led);
});

test.each([
  ["that refuses us", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_refused"],
  ["that finds no server", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "server_unreachable"],
])(
  "a proxy %s is told of by login and by doctor, and not its password",
  async (_, answer, code) => {
    proxy.refusal = answer;
    const login = await ramet(["login", url, "--ca", "ca.pem", "--json"]);
    expect(await exists(loginFile(world.contextAt().home.folder))).toBe(false);
    proxy.refusal = undefined;
    await ramet(["login", url, "--ca", "ca.pem"]);
    proxy.refusal = answer;
    const doctor = await ramet(["doctor", "--json"]);
    for (const { out, err, exitCode } of [login, doctor]) {
      expect([exitCode, out.includes(code)]).toEqual([2, true]);
      expect(out + err).not.toContain(PASSWORD);
    }
  },
);
