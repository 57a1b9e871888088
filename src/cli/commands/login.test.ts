import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { Server } from "node:https";
import path from "node:path";

import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { createServerCertificate } from "../../base/certificates.ts";
import { exists } from "../../base/remove-inside.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../protocol/headers.ts";
import { loginFile } from "../connection/login-file.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const GOOD = "ramet_3fa2b1c09d8e_good";
const WHO = {
  token: {
    id: "3fa2b1c09d8e",
    user: "anna",
    label: null,
    apps: ["shop"],
    right: "write",
    createdAt: "2026-01-01T00:00:00.000Z",
    expiresAt: null,
  },
  isAdmin: false,
  version: "0.1.0",
};
const REFUSED = { code: "token_refused", message: "No.", remedy: "Ask." };

let world: World;
let server: Server;
let url: string;
let certificate: string;
const heard: string[] = [];
let connections = 0;

beforeAll(async () => {
  world = await createWorld();
  const now = Date.now();
  const validity = { from: new Date(now - DAY_MS), until: new Date(now + DAY_MS) };
  const pair = await createServerCertificate(["127.0.0.1"], { validity, authority: null });
  ({ certificate } = pair);
  await writeFile(path.join(world.workspace, "ca.pem"), certificate);
  server = createServer({ key: pair.key, cert: certificate }, (request, response) => {
    const token = String(request.headers[TOKEN_HEADER]);
    heard.push(token);
    const answer = token === GOOD ? { result: WHO } : { problem: REFUSED };
    response.writeHead(200, { [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) });
    response.end(`${JSON.stringify(answer)}\n`);
  });
  server.on("connection", () => (connections += 1));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  url = `https://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(async () => {
  server.close();
  await world.close();
});
afterEach(async () => {
  heard.length = 0;
  await world.ramet(["logout"]);
});

function keptFile(): string {
  return loginFile(world.contextAt().home.folder);
}

function fingerprint(): string {
  return new X509Certificate(certificate).fingerprint256;
}

test.each([
  ["an authority of one's own", () => ["--ca", "ca.pem"]],
  ["a fingerprint", () => ["--fingerprint", fingerprint()]],
  [
    "one in small letters without colons",
    () => ["--fingerprint", fingerprint().replaceAll(":", "").toLowerCase()],
  ],
  ["one as other programs write it", () => ["--fingerprint", `SHA256:${fingerprint()}`]],
])("with %s and a token on standard input one is logged in", async (_, flags) => {
  const ran = await world.ramet(["login", url, ...flags()], { input: `${GOOD}\n` });
  expect(ran).toMatchObject({ exitCode: 0, err: "" });
  expect(ran.out).toContain(`anna at ${url}`);
  expect(ran.out).toContain("read and write shop");
  expect(ran.out).not.toContain(GOOD);
  expect(JSON.parse(await readFile(keptFile(), "utf8"))).toMatchObject({ url, token: GOOD });
  expect(await world.json(["whoami"])).toMatchObject({ url, token: { user: "anna" } });
});

test("a token that is no good is not kept, nor one that was not given", async () => {
  const ran = await world.ramet(["login", url, "--ca", "ca.pem", "--json"], {
    input: "ramet_bad\n",
  });
  expect(ran.out).toContain("token_refused");
  expect(await exists(keptFile())).toBe(false);
  const none = await world.ramet(["login", url, "--ca", "ca.pem", "--json"], { input: "\n" });
  expect(none.out).toContain("token_missing");
  expect(heard).toEqual(["ramet_bad"]);
});

test("where nobody vouches for the server and nobody can be asked, its fingerprint is said and no token sent", async () => {
  const ran = await world.ramet(["login", url, "--json"], { input: GOOD });
  expect(ran.out).toContain("fingerprint_unconfirmed");
  expect(ran.out).toContain(fingerprint());
  expect(heard).toEqual([]);
});

test("another fingerprint than the server's is refused, and no token sent", async () => {
  const other = "AB".repeat(32);
  const ran = await world.ramet(["login", url, "--fingerprint", other, "--json"], { input: GOOD });
  expect(ran.out).toContain("fingerprint_other");
  expect(heard).toEqual([]);
});

test.each([
  [["--fingerprint", "AB:CD"], "flag_invalid"],
  [["--fingerprint", "x".repeat(64)], "flag_invalid"],
  [["--ca", "none.pem"], "file_unreadable"],
  [["--ca", "ca.pem", "--fingerprint", "AB".repeat(32)], "flags_exclusive"],
])("login with %j is refused as %s", async (flags, code) => {
  const ran = await world.ramet(["login", url, ...flags, "--json"], { input: GOOD });
  expect(ran.out).toContain(code);
  expect(heard).toEqual([]);
});

test("a script's token comes from its environment, and what is about this machine stays here", async () => {
  const environment = { RAMET_SERVER: url, RAMET_TOKEN: GOOD, RAMET_CA: "ca.pem" };
  expect(await world.json(["whoami"], { environment })).toMatchObject({ url });
  expect(heard).toEqual([GOOD]);
  const status = await world.json(["server", "status"], { environment });
  expect(status).toMatchObject({ running: false });
  expect(heard).toEqual([GOOD]);
});

test("a workspace that is bound to another server's environment is not taken for one of this", async () => {
  await world.ramet(["login", url, "--ca", "ca.pem"], { input: GOOD });
  await world.bind();
  const ran = await world.ramet(["var", "list", "--json"]);
  expect(ran.out).toContain("binding_elsewhere");
  expect(heard).toEqual([GOOD]);
});

test.each([
  ["a user", "https://anna@127.0.0.1:PORT"],
  ["a token for a password", `https://anna:${GOOD}@127.0.0.1:PORT`],
  ["a path", "https://127.0.0.1:PORT/calls"],
  ["a question", "https://127.0.0.1:PORT/?x"],
  ["http to what is not this machine by its name", "http://0.0.0.0:PORT"],
])("a server's URL with %s is refused before anything is sent", async (_, text) => {
  const odd = text.replace("PORT", new URL(url).port);
  const environment = { RAMET_SERVER: odd, RAMET_TOKEN: GOOD, RAMET_CA: "ca.pem" };
  const before = connections;
  const login = await world.ramet(["login", odd, "--ca", "ca.pem", "--json"], { input: GOOD });
  const list = await world.ramet(["env", "list", "--json"], { environment });
  for (const { out, err } of [login, list]) {
    expect(out).toContain("server_url_invalid");
    expect(out + err).not.toContain(GOOD);
  }
  expect(connections).toBe(before);
  expect(await exists(keptFile())).toBe(false);
});

test("whoever logs in by http to a server that speaks TLS alone is told the URL to use", async () => {
  const ran = await world.ramet(["login", url.replace("https:", "http:")], { input: GOOD });
  expect(ran.exitCode).toBe(2);
  expect(ran.err).toContain(`\`ramet login ${url}\``);
});

test("RAMET_SERVER without RAMET_TOKEN sends that server nothing, not even the token of another", async () => {
  await world.ramet(["login", url, "--ca", "ca.pem"], { input: GOOD });
  const other = `https://localhost:${new URL(url).port}`;
  const before = connections;
  const ran = await world.ramet(["env", "list", "--json"], {
    environment: { RAMET_SERVER: other },
  });
  expect(ran.out).toContain("login_needed");
  expect(connections).toBe(before);
});
