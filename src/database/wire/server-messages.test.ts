import fc from "fast-check";
import { expect, test } from "vitest";

import { CancelKeys } from "./cancel-keys.ts";
import { formatFatal, unknownUser } from "./error-response.ts";
import { GreetingRewriter } from "./server-messages.ts";
import type { Replacements } from "./server-messages.ts";

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const SERVER_KEY = Buffer.alloc(32, 1);
const CLIENT_KEY = Buffer.alloc(32, 2);
const before = [
  message("R", Buffer.from([0, 0, 0, 0])),
  message("S", Buffer.from("TimeZone\0UTC\0")),
];
const after = [
  message("Z", Buffer.from("I")),
  Buffer.from("K any bytes that are the session's own"),
];

const SAME: Replacements = { cancelKey: (key) => key, user: "x" };

function keyMessage(pid: number, key: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(pid);
  return message("K", Buffer.concat([head, key]));
}

test("the key is replaced and all else passes, however the bytes are cut", () => {
  const said = Buffer.concat([...before, keyMessage(7, SERVER_KEY), ...after]);
  const heard = Buffer.concat([...before, keyMessage(9, CLIENT_KEY), ...after]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: said.length })), (cuts) => {
      const asked: unknown[] = [];
      const cancelKey = (key: unknown) => {
        asked.push(key);
        return { pid: 9, key: CLIENT_KEY };
      };
      const rewriter = new GreetingRewriter({ cancelKey, user: "x" });
      const places = [0, ...cuts.toSorted((a, b) => a - b), said.length];
      const parts = places.slice(1).map((end, at) => rewriter.push(said.subarray(places[at], end)));
      expect(Buffer.concat(parts).equals(heard)).toBe(true);
      expect(rewriter.isDone).toBe(true);
      expect(asked).toEqual([{ pid: 7, key: SERVER_KEY }]);
    }),
  );
});

test("an error passes at once, without a greeting", () => {
  const rewriter = new GreetingRewriter(SAME);
  const error = formatFatal({ code: "3D000", message: "no" });
  expect(rewriter.push(error).equals(error)).toBe(true);
  expect(rewriter.isDone).toBe(false);
});

test("whose password is wrong is told so by the name that it gave", () => {
  const rewriter = new GreetingRewriter({ ...SAME, user: "onewwwww" });
  const error = formatFatal({ code: "28P01", message: 'authentication failed for user "app"' });
  expect(rewriter.push(error).equals(formatFatal(unknownUser("onewwwww")))).toBe(true);
});

test("a greeting without an end, or with an impossible length, is refused", () => {
  const endless = new GreetingRewriter(SAME);
  const part = message("S", Buffer.alloc(100_000));
  expect(() => {
    for (let count = 0; count < 10; count += 1) endless.push(part);
  }).toThrow(/no end/);
  const odd = new GreetingRewriter(SAME);
  expect(() => odd.push(Buffer.from([0x53, 0, 0, 0, 3]))).toThrow(/length/);
});

test("a fatal error has PostgreSQL's form, and no text breaks out of its field", () => {
  const bytes = formatFatal({ code: "57P03", message: "asleep\0Cx", hint: "wake it" });
  expect(bytes.subarray(0, 1).toString()).toBe("E");
  expect(bytes.readUInt32BE(1)).toBe(bytes.length - 1);
  expect(bytes.subarray(5).toString()).toBe("SFATAL\0VFATAL\0C57P03\0MasleepCx\0Hwake it\0\0");
});

test("a key of ours leads to the server's, until it is forgotten, and no other does", () => {
  const keys = new CancelKeys();
  const issued = keys.issue({ pid: 7, key: SERVER_KEY, socket: "/s" });
  expect(issued.key).toHaveLength(SERVER_KEY.length);
  expect(issued.key.equals(SERVER_KEY)).toBe(false);
  expect(keys.find(issued)).toEqual({ pid: 7, key: SERVER_KEY, socket: "/s" });
  expect(keys.find({ pid: issued.pid, key: SERVER_KEY })).toBeUndefined();
  expect(keys.find({ pid: issued.pid, key: issued.key.subarray(0, 4) })).toBeUndefined();
  expect(keys.find({ pid: issued.pid + 1, key: issued.key })).toBeUndefined();
  issued.forget();
  expect(keys.find(issued)).toBeUndefined();
});
