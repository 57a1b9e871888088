import { once } from "node:events";
import { readdir } from "node:fs/promises";

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { waitFor } from "../../base/clock.ts";
import { openWireGateway, queryDatabase } from "../database.ts";
import { PROTOCOL_3_0, formatCancelPacket, formatStartupPacket } from "./startup-packet.ts";
import { BROKEN, ONE, SLOW, askFirst, dial, exchange, openTestWire } from "./test-wire.ts";
import type { TestWire } from "./test-wire.ts";

const LIMIT_MS = 30_000;
let wire: TestWire;

beforeAll(async () => {
  wire = await openTestWire();
});

afterAll(async () => {
  await wire.close();
});

/** Sends all, says that this is all, and gives what comes back. */
async function sendAll(bytes: Buffer): Promise<string> {
  const socket = dial(wire.port);
  const answer = exchange(bytes, socket);
  socket.end();
  return answer;
}

async function isWell(): Promise<boolean> {
  return wire.withPg({}, async (client) => (await askFirst(client, "SELECT 1")) === 1);
}

/** A packet of this length, of these bytes. */
function packet(bytes: Uint8Array, length = bytes.length + 4): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length >>> 0);
  return Buffer.concat([head, bytes]);
}

test("whatever bytes a client begins with, it is answered with an error, a decline, or an end", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }).map((one) => Buffer.from(one)),
    fc.uint8Array({ maxLength: 64 }).map((one) => packet(one)),
    fc
      .tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(12_000))
      .map(([one, length]) => packet(one, length)),
    fc
      .uint8Array({ maxLength: 40 })
      .map((one) => packet(Buffer.concat([Buffer.from([0, 3, 0, 0]), one]))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (one) => {
      // A TLS handshake is answered in its own language.
      fc.pre(one[0] !== 0x16);
      expect(await sendAll(one)).toMatch(/^(|N|S|E[^]*SFATAL[^]*)+$/);
    }),
    { numRuns: 150 },
  );
  expect(await isWell()).toBe(true);
});

test("a first packet that begins like a TLS handshake and is none is hung up on", async () => {
  const answer = await sendAll(Buffer.concat([Buffer.from([0x16]), Buffer.alloc(100, 7)]));
  expect(answer).not.toContain("SFATAL");
  expect(await isWell()).toBe(true);
});

test("a user's name of any bytes is answered like a wrong password, and stays in its field", async () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 200 })
    .map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString("latin1"));
  await fc.assert(
    fc.asyncProperty(name, async (user) => {
      const answer = await sendAll(formatStartupPacket(PROTOCOL_3_0, [["user", user]]));
      expect(answer).toMatch(/^E[^]{4}SFATAL\0VFATAL\0C28P01\0M[^\0]*\0\0$/);
    }),
    { numRuns: 40 },
  );
});

test("a startup packet without a user names nobody", async () => {
  for (const parameters of [[], [["database", "my-shop"]], [["user", ""]]] as const) {
    const pairs = parameters.map(([key, value]): [string, string] => [key, value]);
    expect(await sendAll(formatStartupPacket(PROTOCOL_3_0, pairs))).toContain("C28P01");
  }
});

test("a client that sends its packet byte by byte is served like any other", async () => {
  const socket = dial(wire.port);
  socket.setNoDelay(true);
  for (const byte of formatStartupPacket(PROTOCOL_3_0, [["user", ONE]]))
    socket.write(Buffer.from([byte]));
  const heard: unknown[] = await once(socket, "data");
  expect(String(heard[0])).toContain("SCRAM-SHA-256");
  socket.destroy();
});

test("a password that is no message of the protocol is refused by the server itself", async () => {
  const startup = formatStartupPacket(PROTOCOL_3_0, [["user", ONE]]);
  const answer = await exchange(Buffer.concat([startup, Buffer.alloc(40, 0xff)]), dial(wire.port));
  expect(answer).toMatch(/SFATAL/);
  expect(await isWell()).toBe(true);
});

test("cancel requests with guessed keys end nothing", async () => {
  await wire.withPg({}, async (client) => {
    const sleeping = client.query("SELECT pg_sleep(0.5), 7 AS n");
    const guesses = Array.from({ length: 50 }, async (_, pid) =>
      sendAll(formatCancelPacket({ pid, key: Buffer.alloc(4, pid) })),
    );
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([""]));
    expect((await sleeping).rows[0]?.n).toBe(7);
  });
});

test("forty clients at once each hear their own answers", async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, at) =>
      wire.withPg({ ssl: at % 2 === 0 }, async (client) => {
        const { rows } = await client.query("SELECT $1::int AS n, repeat($2, 5000) AS text", [
          at,
          String(at % 10),
        ]);
        return `${rows[0]?.n} ${rows[0]?.text}`;
      }),
    ),
  );
  expect(answers).toEqual(answers.map((_, at) => `${at} ${String(at % 10).repeat(5_000)}`));
});

test("more clients than the server takes are told so by it, and the others go on", async () => {
  const codes: unknown[] = [];
  let connected = 0;
  const { promise: allHaveCome, resolve } = Promise.withResolvers<void>();
  const arrive = (): void => {
    if (connected + codes.length === 70) resolve();
  };
  const visits = Array.from({ length: 70 }, async () => {
    try {
      await wire.withPg({}, async (client) => {
        connected += 1;
        arrive();
        await allHaveCome;
        expect(await askFirst(client, "SELECT 5")).toBe(5);
      });
    } catch (error) {
      codes.push(error instanceof Error && "code" in error ? error.code : error);
      arrive();
    }
  });
  await Promise.all(visits);
  expect(new Set(codes)).toEqual(new Set(["53300"]));
  expect(connected).toBeGreaterThan(30);
  expect(await isWell()).toBe(true);
});

test("hundreds who connect and say nothing, or leave in the midst, take nothing with them", async () => {
  const before = await countDescriptors();
  const silent = Array.from({ length: 300 }, () => dial(wire.port));
  for (const socket of silent) socket.on("error", () => undefined);
  await Promise.all(silent.map(async (socket) => once(socket, "connect")));
  expect(await isWell()).toBe(true);
  for (const [at, socket] of silent.entries()) {
    if (at % 3 === 0) socket.write(packet(Buffer.from([0, 3])).subarray(0, 5));
    if (at % 3 === 1) socket.resetAndDestroy();
    else socket.destroy();
  }
  const left = await waitFor(
    async () => ((await countDescriptors()) <= before + 5 ? true : undefined),
    {
      timeoutMs: LIMIT_MS,
    },
  );
  expect(left).toBe(true);
  expect(await isWell()).toBe(true);
});

test("many who wait for one that wakes are all let go when they leave", async () => {
  const { opened, aborted } = wire.slow;
  const waiting = Array.from({ length: 20 }, () => dial(wire.port));
  for (const socket of waiting) socket.write(formatStartupPacket(PROTOCOL_3_0, [["user", SLOW]]));
  await waitFor(() => wire.slow.opened === opened + 20 || undefined, { timeoutMs: LIMIT_MS });
  for (const socket of waiting) socket.destroy();
  await waitFor(() => wire.slow.aborted === aborted + 20 || undefined, { timeoutMs: LIMIT_MS });
  expect(wire.slow).toEqual({ opened: opened + 20, aborted: aborted + 20 });
});

test("a client that talks on while its environment wakes is bounded, and one that is refused hears why", async () => {
  const startup = formatStartupPacket(PROTOCOL_3_0, [["user", BROKEN]]);
  const answer = await exchange(
    Buffer.concat([startup, Buffer.alloc(1_000_000, 1)]),
    dial(wire.port),
  );
  expect(answer === "" || answer.includes("C57P03")).toBe(true);
});

test("a route that throws what is no problem is a refusal, not the end of the gateway", async () => {
  const gateway = await openWireGateway({
    host: "127.0.0.1",
    port: 0,
    keys: wire.keys,
    find: (user) => {
      if (user === "throws") throw new Error("a bug");
      return { open: async () => Promise.reject(new TypeError("another bug")), touch: () => {} };
    },
  });
  for (const [user, code] of [
    ["throws", "CXX000"],
    ["rejects", "C57P03"],
  ] as const) {
    const startup = formatStartupPacket(PROTOCOL_3_0, [["user", user]]);
    expect(await exchange(startup, dial(gateway.port))).toContain(code);
  }
  await gateway.close();
});

test("what has gone through the gateway left nothing in the server", async () => {
  const none = await waitFor(async () => ((await countSessions()) === "0" ? true : undefined), {
    timeoutMs: LIMIT_MS,
  });
  expect(none).toBe(true);
});

async function countSessions(): Promise<unknown> {
  const sql =
    "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND pid <> pg_backend_pid()";
  return (await queryDatabase(wire.one, sql)).rows[0]?.[0];
}

/** Open files and sockets of this process, where the system shows them. */
async function countDescriptors(): Promise<number> {
  return process.platform === "linux" ? (await readdir("/proc/self/fd")).length : 0;
}
