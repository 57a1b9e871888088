import { once } from "node:events";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { GOOD, openCallStage, SHOP, TOKEN } from "../../../test/journeys/call-stage.ts";
import type { CallStage, Question } from "../../../test/journeys/call-stage.ts";
import { isListening } from "../../base/is-listening.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../protocol/headers.ts";
import { closeServer, openCallServer } from "./call-server.ts";

let stage: CallStage;

beforeAll(async () => {
  stage = await openCallStage();
});
afterAll(async () => stage.close());

async function problemOf(question: Question): Promise<unknown> {
  const { messages } = await stage.ask(question);
  expect(messages).toHaveLength(1);
  const [message] = messages;
  return message !== undefined && "problem" in message ? message.problem : message;
}

test("a call is answered with one line, and with the server's protocol in a header", async () => {
  const { status: code, headers, messages } = await stage.ask({});
  expect(code).toBe(200);
  expect(headers[PROTOCOL_HEADER]).toBe(String(PROTOCOL_VERSION));
  expect(messages).toMatchObject([{ result: [{ name: "shop", environments: ["development"] }] }]);
});

test("nobody but this user can open its socket", async () => {
  expect((await stat(stage.socket)).mode & 0o777).toBe(0o600);
});

test.each([
  ["none", ""],
  ["a wrong one", "correct-horse-battery-stapl"],
  ["one that is longer", `${TOKEN}x`],
  ["one in capitals", TOKEN.toUpperCase()],
])("a call with a token that is %s is refused", async (_, token) => {
  const headers = { ...GOOD, [TOKEN_HEADER]: token };
  expect(await problemOf({ headers })).toMatchObject({ code: "token_wrong" });
});

test("a call without any header is told of the token first, and learns nothing else", async () => {
  expect(await problemOf({ headers: {}, path: "/calls/nothing" })).toMatchObject({
    code: "token_wrong",
  });
});

test.each([
  ["an older client", String(PROTOCOL_VERSION - 1), "Upgrade this command"],
  ["a newer client", String(PROTOCOL_VERSION + 1), "server restart"],
])("%s is told which side to upgrade", async (_, version, remedy) => {
  const headers = { ...GOOD, [PROTOCOL_HEADER]: version };
  expect(await problemOf({ headers })).toMatchObject({
    code: "protocol_mismatch",
    remedy: expect.stringContaining(remedy),
  });
});

test.each(["", "one", "1.0", "1e0", " 1x"])("the protocol %j is none", async (version) => {
  const headers = { ...GOOD, [PROTOCOL_HEADER]: version };
  expect(await problemOf({ headers })).toMatchObject({ code: "protocol_mismatch" });
});

test.each([
  { path: "/calls/app.unlist" },
  { path: "/calls/toString" },
  { path: "/calls/__proto__" },
  { path: "/calls/app.list/" },
  { path: "/calls/app.list?x=1" },
  { path: "/calls/../calls/app.list" },
  { path: "/app.list" },
  { path: "/" },
  { method: "GET" },
  { method: "PUT" },
  { method: "DELETE" },
])("there is no call %j", async (question) => {
  expect(await problemOf(question)).toMatchObject({ code: "call_unknown" });
});

test.each([
  ["no JSON", "{", "JSON"],
  ["no object", "[]", "expected object"],
  ["a missing field", '{"app":"shop"}', "environment"],
  ["a field of another kind", '{"app":"shop","environment":7}', "environment"],
  ["a field that is too long", JSON.stringify({ ...SHOP, app: "a".repeat(5_000) }), "app"],
])("a body that is %s is a problem that says where", async (_, body, where) => {
  expect(await problemOf({ path: "/calls/environment.show", body })).toMatchObject({
    code: "input_invalid",
    message: expect.stringContaining(where),
  });
});

test("a body without end is refused at its limit", async () => {
  const body = JSON.stringify({ text: "x".repeat(4_100_000) });
  expect(await problemOf({ body })).toMatchObject({
    code: "input_invalid",
    message: expect.stringContaining("4000000"),
  });
});

test("what a call throws as a problem reaches its caller with all three fields, and no log", async () => {
  const before = stage.log.length;
  const body = JSON.stringify({ ...SHOP, environment: "developmen" });
  expect(await problemOf({ path: "/calls/environment.show", body })).toEqual({
    code: "environment_unknown",
    message: expect.stringContaining("Did you mean development?"),
    remedy: expect.stringContaining("ramet env list"),
  });
  expect(stage.log.length).toBe(before);
});

test("a bug of ours is told as one, with where it happened in the log, and no secret there", async () => {
  stage.opening = async () => {
    throw new TypeError("undefined is not a database");
  };
  const variables = [{ name: "STRIPE_KEY", value: "sk_live_do_not_log" }];
  const body = JSON.stringify({ ...SHOP, variables, secret: true });
  try {
    expect(await problemOf({ path: "/calls/variable.set", body })).toEqual({
      bug: "undefined is not a database",
    });
  } finally {
    stage.opening = async () => undefined;
  }
  expect(stage.log.at(-1)).toContain("call-server.test.ts");
  for (const secret of ["sk_live_do_not_log", TOKEN])
    expect(stage.log.join()).not.toContain(secret);
  expect((await stage.ask({})).messages).toHaveLength(1);
});

test("a call that came before the server could answer waits until it can", async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  stage.opening = async () => {
    reach();
    await opened;
  };
  let isAnswered = false;
  const onMessage = (): void => void (isAnswered = true);
  const asking = stage.ask({ onMessage });
  await reached;
  expect(isAnswered).toBe(false);
  stage.opening = async () => undefined;
  open();
  expect((await asking).messages).toMatchObject([{ result: [{ name: "shop" }] }]);
});

test("many callers at once get each their own answer", async () => {
  const names = ["development", "other", "agent", "x-1"];
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const body = JSON.stringify({ ...SHOP, environment: names[index % names.length] });
      const { messages } = await stage.ask({ path: "/calls/environment.show", body });
      return JSON.stringify(messages);
    }),
  );
  const isRight = (answer: string, index: number): boolean => {
    const name = names[index % names.length] ?? "";
    return answer.includes(index % names.length === 0 ? '"name":"development"' : ` ${name}.`);
  };
  expect(answers.filter((answer, index) => !isRight(answer, index))).toEqual([]);
});

test("one that closes leaves its socket's place at once to the next, who is found there", async () => {
  const options = { token: TOKEN, session: stage.session, log: () => undefined };
  const socket = path.join(stage.engine.folder, "next.sock");
  const first = await openCallServer({ ...options, socket });
  const closing = first.close();
  expect(existsSync(socket)).toBe(false);
  const next = await openCallServer({ ...options, socket });
  await closing;
  expect(await isListening({ path: socket })).toBe(true);
  await next.close();
});

test("a connection that has become something else does not keep a server from closing", async () => {
  const socket = path.join(stage.engine.folder, "tunnel.sock");
  const server = createServer();
  server.on("upgrade", (_request, tunnel) => {
    tunnel.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  });
  server.listen(socket);
  await once(server, "listening");
  const client = connect({ path: socket });
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tunnel\r\n\r\n");
  await once(client, "data");
  await closeServer(server);
  expect(client.closed).toBe(false);
  client.destroy();
});
