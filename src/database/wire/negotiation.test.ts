import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { connect as connectTls } from "node:tls";

import { afterAll, beforeAll, expect, test } from "vitest";

import { exists } from "../../base/remove-inside.ts";
import { openWireGateway } from "../database.ts";
import { PROTOCOL_3_0, formatStartupPacket } from "./startup-packet.ts";
import { ONE, dial, exchange, openTestWire } from "./test-wire.ts";
import type { TestWire } from "./test-wire.ts";

const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const GSS_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);

let wire: TestWire;

beforeAll(async () => {
  wire = await openTestWire();
});

afterAll(async () => {
  await wire.close();
});

test("protocol 3.2 gets a key of ours as long as the server's", async () => {
  const socket = dial(wire.port);
  socket.write(
    formatStartupPacket(PROTOCOL_3_0 + 2, [
      ["user", ONE],
      ["database", "my-shop"],
    ]),
  );
  const [answer]: unknown[] = await once(socket, "data");
  socket.destroy();
  // Authentication by SCRAM, and no message that the version must be negotiated down.
  expect(Buffer.isBuffer(answer) && answer.toString("latin1")).toMatch(/^R.{8}SCRAM-SHA-256\0\0$/s);
});

test("the key pair is made once, for us alone", async () => {
  const file = path.join(wire.keys, "wire.pem");
  await wire.withPg({ ssl: true }, async () => {});
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const before = await readFile(file, "utf8");
  const other = await openWireGateway({
    host: "127.0.0.1",
    port: 0,
    keys: wire.keys,
    find: () => undefined,
  });
  const socket = connectTls({
    port: other.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["postgresql"],
  });
  await once(socket, "secureConnect");
  socket.destroy();
  await other.close();
  expect(await readFile(file, "utf8")).toBe(before);
});

test("no key pair is made before a client asks for TLS", async () => {
  const unused = path.join(wire.home.folder, "unused-keys");
  const other = await openWireGateway({
    host: "127.0.0.1",
    port: 0,
    keys: unused,
    find: () => undefined,
  });
  const answer = await exchange(
    formatStartupPacket(PROTOCOL_3_0, [["user", "x"]]),
    dial(other.port),
  );
  expect(answer).toContain("C28P01");
  await other.close();
  expect(await exists(unused)).toBe(false);
});

test("a client may begin with TLS at once", async () => {
  const socket = connectTls({
    port: wire.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["postgresql"],
  });
  await once(socket, "secureConnect");
  expect(socket.alpnProtocol).toBe("postgresql");
  expect(await exchange(formatStartupPacket(PROTOCOL_3_0, [["user", "nobody"]]), socket)).toContain(
    "C28P01",
  );
});

test.each([
  [
    "bytes in the clear behind a request for TLS",
    Buffer.concat([TLS_REQUEST, formatStartupPacket(PROTOCOL_3_0, [["user", ONE]])]),
    /^E.*C08P01.*unencrypted/s,
  ],
  ["version 2", formatStartupPacket(0x0002_0000, [["user", ONE]]), /^E.*C0A000.*2\.0/s],
  ["a web request", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), /^E.*C08P01/s],
  ["a packet that is too long", Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0]), /^E.*C08P01/s],
])("%s is refused", async (_what, bytes, answer) => {
  expect(await exchange(bytes, dial(wire.port))).toMatch(answer);
});

test("encryption by GSS is declined, and asked for again and again it is refused", async () => {
  const socket = dial(wire.port);
  socket.write(GSS_REQUEST);
  const [answer]: unknown[] = await once(socket, "data");
  expect(String(answer)).toBe("N");
  socket.write(GSS_REQUEST);
  await once(socket, "data");
  expect(await exchange(GSS_REQUEST, socket)).toMatch(/^NE.*C08P01/s);
});
