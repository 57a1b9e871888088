import { afterEach, beforeEach, expect, test } from "vitest";

import { sendRaw, Stage, TestTarget } from "./test-stage.ts";

const OWN = "shop--x.localhost";

let stage: Stage;
let port: number;
let targets: Record<string, TestTarget>;

beforeEach(async () => {
  stage = new Stage();
  const upstream = await stage.upstream((_, response) => response.end("reached"));
  const open = (label: string): TestTarget => new TestTarget(label, upstream.port);
  targets = {
    [OWN]: open("shop--x"),
    "shop--y.localhost": open("shop--y"),
    "api.shop--x.localhost": open("api.shop--x"),
  };
  ({ port } = await stage.gateway(targets));
});
afterEach(async () => stage.close());

/** Addresses of this machine, however they are written, and names that an attacker's DNS leads here. */
const OTHER_NAMES =
  "localhost 127.0.0.1 127.1 0.0.0.0 0 0177.0.0.1 0x7f000001 0x7f.1 2130706433 [::1] [::] [::ffff:127.0.0.1] " +
  "[0:0:0:0:0:0:0:1] 169.254.169.254 metadata.google.internal evil.com evil.localhost x.localhost shop.localhost " +
  "shop--.localhost --x.localhost shop-x.localhost shop---x.localhost shop--x shop--x.local shop--x.localhos " +
  "shop--x.localhost.evil.com shop--x.localhost.localhost evil--shop--x.localhost shop--x--y.localhost " +
  "shop--xx.localhost sshop--x.localhost a.shop--x.localhost api.api.shop--x.localhost api-shop--x.localhost " +
  "shop--x-localhost shop--x_localhost xn--shop--x.localhost shop--x.xn--localhost rebind.network 7f000001.nip.io " +
  "127.0.0.1.nip.io shop--x.127.0.0.1.nip.io localtest.me shop--x.lvh.me";

/** What is no host name at all, or could be read as two. */
const MALFORMED =
  "a@shop--x.localhost a:b@shop--x.localhost shop--x.localhost@evil.com shop--x.localhost. shop--x.localhost.. .shop--x.localhost " +
  "shop--x..localhost shop--x.localhost: shop--x.localhost:: shop--x.localhost:65536 shop--x.localhost:-1 shop--x.localhost:+80 " +
  "shop--x.localhost:0x50 shop--x.localhost:80:80 shop--x.localhost:http shop--x.localhost/ shop--x.localhost/a shop--x.localhost?a " +
  "shop--x.localhost#a shop--x.localhost\\ shop--x.localhost\\evil.com //shop--x.localhost http://shop--x.localhost " +
  "shop--x.localhost,shop--y.localhost shop--x.localhost;shop--y.localhost shop--x.localhost|a shop%2d%2dx.localhost " +
  "shop--x%2elocalhost shop--x.localhost%00 shop--x.localhost%20 shop--x.localhost%0d%0a *.localhost * ? $HOST {shop--x}.localhost " +
  "<script> 'shop--x.localhost' \"shop--x.localhost\" (shop--x.localhost) [shop--x.localhost] [::1 ::1 ::1] [::1]] [[::1]] [::1%25lo] " +
  "[127.0.0.1] [] -shop--x.localhost shop--x-.localhost shop--x.-localhost ../shop--x.localhost ~shop--x.localhost";

/** Bytes that some parsers take for others, or throw away. */
const BYTES = [
  "shop--x.localhost\u00a0",
  "\u00a0shop--x.localhost",
  "shop--x\u00adlocalhost",
  "shop--x\u3002localhost".replace("\u3002", "\u00e3\u0080\u0082"),
  "\u00c5\u00bfhop--x.localhost",
  "shop--x.\u00e2\u0084\u00aa",
  "\u00f0\u009f\u00a6\u0084.localhost",
  "shop--x.localhost\tshop--y.localhost",
  "shop--x.localhost shop--y.localhost",
  `${"a".repeat(64)}.localhost`,
  `${"a.".repeat(130)}localhost`,
];

const HOSTILE = [...OTHER_NAMES.split(" "), ...MALFORMED.split(" "), ...BYTES];

test("a hundred hostile Host headers get 4xx, and no environment is even looked at", async () => {
  expect(new Set(HOSTILE).size).toBeGreaterThanOrEqual(100);
  const wrong: string[] = [];
  for (const host of HOSTILE) {
    const answer = await sendRaw(
      port,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      5000,
    );
    if (!/^HTTP\/1\.1 4\d\d /.test(answer)) wrong.push(`${host}: ${answer.slice(0, 40)}`);
  }
  expect(wrong).toEqual([]);
  for (const target of Object.values(targets)) expect(target.looks).toBe(0);
});

test("the same for WebSockets", async () => {
  const upgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const answers = await Promise.all(
    HOSTILE.map(async (host) =>
      sendRaw(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n`, 5000),
    ),
  );
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  for (const target of Object.values(targets)) expect(target.looks).toBe(0);
});

test("an environment's own name does reach it, so the others are refused for what they are", async () => {
  for (const host of [OWN, `${OWN}:80`, OWN.toUpperCase()]) {
    const answer = await sendRaw(
      port,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      5000,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  }
});
