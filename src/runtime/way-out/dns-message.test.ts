import fc from "fast-check";
import { expect, test } from "vitest";

import { TYPE_A, encodeAddresses, encodeFailure, parseQuestion } from "./dns-message.ts";

/** As a resolver asks it: recursion desired, one question. */
function ask(name: string, { type = TYPE_A, id = 0x1234, flags = 0x0100, kind = 1 } = {}): Buffer {
  const labels = name
    .split(".")
    .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  const end = Buffer.alloc(5);
  end.writeUInt16BE(type, 1);
  end.writeUInt16BE(kind, 3);
  return Buffer.concat([header, ...labels, end]);
}

function parse(message: Buffer): NonNullable<ReturnType<typeof parseQuestion>> {
  const question = parseQuestion(message);
  if (question === undefined) throw new Error("It is a question.");
  return question;
}

test("a question's name is read in lower case, with its type", () => {
  expect(parseQuestion(ask("API.Stripe.com"))).toEqual({
    name: "api.stripe.com",
    type: TYPE_A,
    end: 32,
  });
  expect(parseQuestion(ask("x.test", { type: 28 }))).toMatchObject({ type: 28 });
});

test("what follows a question, such as what a resolver can take, does not matter", () => {
  const message = Buffer.concat([ask("x.test"), Buffer.from("0000291000000000000000", "hex")]);
  expect(parseQuestion(message)).toMatchObject({ name: "x.test" });
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["a header alone", ask("x.test").subarray(0, 12)],
  ["a name that is cut", ask("x.test").subarray(0, 16)],
  ["a question without its type", ask("x.test").subarray(0, 21)],
  ["an answer", ask("x.test", { flags: 0x8100 })],
  ["another operation", ask("x.test", { flags: 0x2800 })],
  ["another class", ask("x.test", { kind: 3 })],
  [
    "a pointer in the name",
    Buffer.concat([ask("x").subarray(0, 12), Buffer.of(0xc0, 12, 0, 1, 0, 1)]),
  ],
  ["a name that is too long", ask(Array.from({ length: 50 }, () => "abcdefgh").join("."))],
])("%s is no question", (_what, message) => {
  expect(parseQuestion(message)).toBeUndefined();
});

test("no bytes make the parser throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const end = parseQuestion(Buffer.from(bytes))?.end ?? 0;
      expect(end).toBeLessThanOrEqual(bytes.length);
    }),
  );
});

test("an answer repeats id and question, and gives each address with its time", () => {
  const message = ask("x.test", { id: 0xbeef });
  const answer = encodeAddresses(message, parse(message), {
    addresses: ["198.18.0.16"],
    seconds: 60,
  });

  expect(answer.readUInt16BE(0)).toBe(0xbeef);
  expect(answer.readUInt16BE(2)).toBe(0x8180);
  expect([answer.readUInt16BE(4), answer.readUInt16BE(6)]).toEqual([1, 1]);
  expect(answer.subarray(12, message.length)).toEqual(message.subarray(12));
  expect(answer.subarray(message.length).toString("hex")).toBe("c00c000100010000003c0004c6120010");
});

test("a name that has no address of the type asked for is there all the same", () => {
  const message = ask("x.test", { type: 28 });
  const answer = encodeAddresses(message, parse(message), { addresses: [], seconds: 60 });
  expect(answer.readUInt16BE(2) & 0xf).toBe(0);
  expect(answer.readUInt16BE(6)).toBe(0);
  expect(answer).toHaveLength(message.length);
});

test.each([
  ["unknown", 3],
  ["failed", 2],
  ["refused", 5],
] as const)("a failure says that it %s", (failure, code) => {
  const message = ask("x.test", { flags: 0 });
  const answer = encodeFailure(message, parse(message), failure);
  expect(answer.readUInt16BE(2)).toBe(0x8080 | code);
  expect(answer.subarray(12)).toEqual(message.subarray(12));
});
