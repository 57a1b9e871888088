import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import {
  exchange,
  headersOf,
  openAfarStage,
  writeCertificate,
} from "../../../test/journeys/afar-stage.ts";
import type { AfarStage } from "../../../test/journeys/afar-stage.ts";
import type { NewToken } from "../../access/access.ts";
import { waitFor } from "../../base/clock.ts";
import { callServer } from "../../cli/connection/client.ts";
import type { RemoteServer } from "../../cli/terminal/context.ts";
import { PROTOCOL_HEADER } from "../../protocol/headers.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const SHOP = { app: "shop", environment: "development" };
const LOGS = {
  ...SHOP,
  process: null,
  access: false,
  follow: true,
  last: 0,
  since: null,
  level: null,
  grep: null,
};

let stage: AfarStage;

beforeAll(async () => {
  stage = await openAfarStage();
});
afterAll(async () => stage.close());

async function lend(changes: Partial<NewToken> = {}): Promise<{ id: string; text: string }> {
  const wanted = { label: null, apps: null, right: "write", lifeMs: DAY_MS } as const;
  const made = await stage.calls.access.createToken({ user: "anna", ...wanted, ...changes });
  return { id: made.token.id, text: made.text };
}

function serverFor(token: string, port = stage.port): RemoteServer {
  const trust = { authority: stage.certificate, pinned: null };
  return { url: `https://127.0.0.1:${port}`, token, trust };
}

const problemSchema = z.object({ problem: z.object({ code: z.string() }) });

async function ask(token: string, call: string, input: unknown): Promise<unknown> {
  const options = { headers: headersOf(token), body: JSON.stringify(input), call };
  const answer = await exchange(stage.port, stage.certificate, options);
  const [, body = ""] = answer.split("\r\n\r\n");
  const line = body.split("\n").find((one) => one.startsWith("{"));
  const value: unknown = JSON.parse(line ?? "null");
  return value;
}

async function codeOf(token: string, call: string, input: unknown): Promise<string> {
  const answer = problemSchema.safeParse(await ask(token, call, input));
  return answer.data?.problem.code ?? "done";
}

test("calls are answered as they are to the owner", async () => {
  const answer = await callServer(serverFor(stage.token), { name: "app.list", input: {} });
  expect(answer).toMatchObject([{ name: "shop", environments: ["development"] }]);
});

test("a stream that goes on ends as soon as its token is revoked, and says why", async () => {
  const { id, text } = await lend();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const input = { ...LOGS, last: 5 };
  const following = callServer(
    serverFor(text),
    { name: "environment.logs", input },
    { onLine: () => begin() },
  ).catch((error: unknown) => error);
  await begun;
  await stage.calls.access.revokeToken(id);
  expect(await following).toMatchObject({ code: "token_refused" });
  expect(await codeOf(text, "app.list", {})).toBe("token_refused");
});

async function attend(text: string): Promise<unknown> {
  const call = { name: "environment.attend", input: SHOP } as const;
  return callServer(serverFor(text), call).catch((error: unknown) => error);
}

test("so it does when its user is removed, and when its token expires", async () => {
  await stage.calls.access.addUser("ben", false);
  const [bens, brief] = [await lend({ user: "ben" }), await lend({ lifeMs: 1_000 })];
  const [ofBen, ofBrief] = [attend(bens.text), attend(brief.text)];
  await stage.calls.access.removeUser("ben");
  expect(await ofBen).toMatchObject({ code: "token_refused" });
  expect(await ofBrief).toMatchObject({ code: "token_refused" });
});

test("a stream is said to be there while nothing happens", async () => {
  const { id, text } = await lend();
  const listener = await stage.open({ beatMs: 20 });
  const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
  const headers = headersOf(text);
  const body = JSON.stringify(LOGS);
  const answering = exchange(listener.port, stage.certificate, {
    headers,
    body,
    call: "environment.logs",
    onData: (soFar) => {
      if (/\r\n1\r\n\n\r\n1\r\n\n\r\n/.test(soFar)) hear();
    },
  });
  await heard;
  await stage.calls.access.revokeToken(id);
  expect(await answering).toContain("token_refused");
  await listener.close();
});

test("a token sees its own apps alone, and changes what it may", async () => {
  const [reader, other] = [await lend({ right: "read" }), await lend({ apps: ["blog"] })];
  expect(await ask(other.text, "app.list", {})).toEqual({ result: [] });
  expect(await ask(other.text, "environment.list", { app: null })).toEqual({ result: [] });
  expect(await ask(other.text, "environment.use", { app: null })).toEqual({ result: [] });
  expect(await ask(reader.text, "environment.list", { app: null })).toMatchObject({
    result: [{ app: "shop", name: "development", url: null, databaseUrl: null }],
  });
  const variables = [{ name: "MODE", value: "x" }];
  const setting = { ...SHOP, variables, secret: false };
  expect(await codeOf(reader.text, "variable.set", setting)).toBe("scope_too_small");
  expect(await codeOf(other.text, "variable.set", setting)).toBe("scope_too_small");
  expect(await codeOf(other.text, "environment.show", SHOP)).toBe("scope_too_small");
  expect(await codeOf(stage.token, "variable.set", setting)).toBe("done");
});

test.each([
  ["server.stop", {}],
  ["server.leave", {}],
  ["server.domain", { change: { domain: null } }],
  ["app.create", { app: "x", folder: "/", searchPath: "" }],
  ["app.find", { folder: "/etc" }],
  ["environment.front", { ...SHOP, port: 3999, off: false }],
  ["files.push", { ...SHOP, workspace: "/etc", force: true }],
  ["files.pull", { ...SHOP, workspace: "/etc", force: true }],
  ["files.status", { ...SHOP, workspace: "/etc" }],
])(
  "%s is about the server's own machine, and is refused to an administrator too",
  async (call, input) => {
    await stage.calls.access.addUser("lead", true).catch(() => undefined); // They are there by now.
    const { text } = await lend({ user: "lead", right: "admin" });
    expect(await codeOf(text, call, input)).toBe("owner_only");
  },
);

test("no folder of the server's is brought to an environment, or overwritten, by developing it from afar", async () => {
  const input = { ...SHOP, workspace: "/etc", prefer: "local" };
  expect(await codeOf(stage.token, "environment.develop", input)).toBe("owner_only");
});

test("an environment on a folder of the server's is made by nobody from afar", async () => {
  const files = { kind: "linked", path: "/etc" };
  const input = { app: "shop", name: "x", from: ["development"], files, searchPath: "/evil" };
  expect(await codeOf(stage.token, "environment.create", input)).toBe("files_linked_afar");
});

test("an administrator lets others in; nobody else does, and not for more than they are", async () => {
  const { text } = await lend({ user: "lead", right: "admin" });
  expect(await codeOf(stage.token, "user.add", { name: "eve", isAdmin: true })).toBe(
    "scope_too_small",
  );
  expect(await codeOf(text, "user.add", { name: "Carl", isAdmin: false })).toBe("done");
  const wanted = { user: "carl", label: "ci", apps: ["Shop"], right: "write", days: 1 };
  expect(await ask(text, "token.create", wanted)).toMatchObject({
    result: { user: "carl", apps: ["shop"], text: expect.stringMatching(/^ramet_/) },
  });
  expect(await codeOf(text, "token.create", { ...wanted, right: "admin" })).toBe("user_not_admin");
  expect(JSON.stringify(await ask(text, "token.list", {}))).not.toMatch(/hash|ramet_/);
  expect(await codeOf(text, "user.remove", { name: "carl" })).toBe("done");
});

test("what was written, and what was refused, is written down with who it was", async () => {
  const entries = await stage.calls.access.audit.read(1_000);
  const told = entries.map(({ user, call, outcome }) => `${user} ${call} ${outcome}`);
  expect(told).toEqual(
    expect.arrayContaining([
      "anna variable.set scope_too_small",
      "anna variable.set done",
      "anna environment.create files_linked_afar",
      "lead server.stop owner_only",
      "lead user.add done",
    ]),
  );
  expect(entries.every(({ address }) => address === "127.0.0.1")).toBe(true);
});

test("a client of another version is told so, after it has shown its token", async () => {
  const headers = headersOf(stage.token).map(([name, text]) => [
    name,
    name === PROTOCOL_HEADER ? "99" : text,
  ]);
  const pairs = headers.map(([name = "", text = ""]) => [name, text] as const);
  expect(await exchange(stage.port, stage.certificate, { headers: pairs })).toContain(
    "protocol_mismatch",
  );
});

test("a certificate that is renewed in place is shown from then on; half of one is not", async () => {
  const { folder } = stage.calls.engine;
  const files = {
    certificate: path.join(folder, "new.pem"),
    key: path.join(folder, "new-key.pem"),
  };
  const first = await writeCertificate(files);
  const cover = { kind: "tls", ...files } as const;
  const log: string[] = [];
  const listener = await stage.open({
    listening: { host: "127.0.0.1", port: 0, cover },
    renewEveryMs: 10,
    log: (text) => void log.push(text),
  });
  const isBelieved = async (certificate: string): Promise<true | undefined> => {
    const server = {
      ...serverFor(stage.token, listener.port),
      trust: { authority: null, pinned: certificate },
    };
    try {
      await callServer(server, { name: "app.list", input: {} });
      return true;
    } catch {
      // It shows another one.
      return undefined;
    }
  };
  expect(await isBelieved(first)).toBe(true);
  await writeFile(files.certificate, (await readFile(files.certificate, "utf8")).slice(0, 100));
  await waitFor(() => (log.length > 0 ? true : undefined), { timeoutMs: 10_000 });
  expect(await isBelieved(first)).toBe(true);
  const second = await writeCertificate(files);
  expect(await waitFor(async () => isBelieved(second), { timeoutMs: 10_000 })).toBe(true);
  expect(await isBelieved(first)).toBeUndefined();
  expect(log.at(-1)).toContain(new X509Certificate(second).fingerprint256);
  await listener.close();
});
