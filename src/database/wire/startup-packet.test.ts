import fc from "fast-check";
import { expect, test } from "vitest";

import {
  MAX_STARTUP_BYTES,
  PROTOCOL_3_0,
  findParameter,
  formatCancelPacket,
  formatStartupPacket,
  parseStartupPacket,
} from "./startup-packet.ts";

const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const GSS_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]);
const text = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
});
const name = text.filter((one) => one !== "");

test("a startup packet reads as it was written, whatever follows it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, text), { maxLength: 20 }),
      fc.uint8Array(),
      (parameters, after) => {
        const packet = formatStartupPacket(PROTOCOL_3_0, parameters);
        fc.pre(packet.length <= MAX_STARTUP_BYTES);
        const parsed = parseStartupPacket(Buffer.concat([packet, after]));
        expect(parsed?.request).toEqual({ kind: "startup", version: PROTOCOL_3_0, parameters });
        expect(parsed?.rest.equals(after)).toBe(true);
      },
    ),
  );
});

test("a packet that is not there as a whole asks for more", () => {
  const packet = formatStartupPacket(PROTOCOL_3_0, [["user", "x"]]);
  for (let length = 0; length < packet.length; length += 1) {
    expect(parseStartupPacket(packet.subarray(0, length))).toBeUndefined();
  }
});

test("no bytes make it throw", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 210 }),
      (bytes, length) => {
        const head = Buffer.alloc(4);
        head.writeUInt32BE(length);
        const parsed = parseStartupPacket(Buffer.concat([head, bytes]));
        expect(["string", "undefined"]).toContain(typeof parsed?.request.kind);
      },
    ),
  );
});

test("version 3.2 is a startup packet too", () => {
  const version = PROTOCOL_3_0 + 2;
  const parsed = parseStartupPacket(formatStartupPacket(version, [["user", "x"]]));
  expect(parsed?.request).toMatchObject({ kind: "startup", version });
});

test.each([
  ["TLS", TLS_REQUEST, { kind: "tls" }],
  ["GSS", GSS_REQUEST, { kind: "gss" }],
  [
    "version 2",
    formatStartupPacket(0x0002_0000, []),
    { kind: "unsupported", version: 0x0002_0000 },
  ],
  ["a length below the head", Buffer.from([0, 0, 0, 7, 0, 3, 0, 0]), { kind: "malformed" }],
  ["a length above the limit", Buffer.from([0, 0, 0x27, 0x11, 0, 3, 0, 0]), { kind: "malformed" }],
  ["a web browser", Buffer.from("GET / HTTP/1.1\r\n"), { kind: "malformed" }],
  [
    "a name without a value",
    Buffer.from([0, 0, 0, 11, 0, 3, 0, 0, 0x61, 0, 0]),
    { kind: "malformed" },
  ],
  [
    "parameters without an end",
    Buffer.from([0, 0, 0, 12, 0, 3, 0, 0, 0x61, 0, 0x62, 0]),
    { kind: "malformed" },
  ],
  [
    "a cancel request without a key",
    Buffer.from([0, 0, 0, 12, 4, 0xd2, 0x16, 0x2e, 0, 0, 0, 1]),
    { kind: "malformed" },
  ],
])("%s is understood", (_what, bytes, request) => {
  expect(parseStartupPacket(bytes)?.request).toEqual(request);
});

test.each([4, 32, 256])(
  "a cancel request with a key of %i bytes reads as it was written",
  (length) => {
    const key = Buffer.alloc(length, 7);
    const parsed = parseStartupPacket(formatCancelPacket({ pid: 4_000_000_000, key }));
    expect(parsed?.request).toEqual({ kind: "cancel", pid: 4_000_000_000, key });
  },
);

test("of a parameter that is sent twice the last one counts", () => {
  expect(
    findParameter(
      [
        ["user", "a"],
        ["user", "b"],
      ],
      "user",
    ),
  ).toBe("b");
  expect(findParameter([], "user")).toBeUndefined();
});
