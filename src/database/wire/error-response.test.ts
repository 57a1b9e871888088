import fc from "fast-check";
import { expect, test } from "vitest";

import { CancelKeys } from "./cancel-keys.ts";
import { cannotConnectNow, formatFatal, protocolViolation, unknownUser } from "./error-response.ts";

/** What a client reads of it: each field's letter and text. */
function parse(bytes: Buffer): Map<string, string> {
  expect(bytes[0]).toBe("E".charCodeAt(0));
  expect(bytes.readUInt32BE(1)).toBe(bytes.length - 1);
  const fields = bytes.subarray(5).toString("utf8").split("\0");
  expect(fields.splice(-2)).toEqual(["", ""]);
  return new Map(fields.map((field) => [field.slice(0, 1), field.slice(1)]));
}

test("whatever its texts hold, a client reads the fields that were meant and no others", () => {
  const text = fc.string({ unit: fc.constantFrom("\0", "C", "é", "🦊", " ", "H") });
  fc.assert(
    fc.property(text, fc.option(text, { nil: undefined }), (message, hint) => {
      const bytes = formatFatal({
        code: "57P03",
        message,
        ...(hint === undefined ? {} : { hint }),
      });
      const fields = parse(bytes);
      expect([...fields.keys()]).toEqual([
        "S",
        "V",
        "C",
        "M",
        ...(hint === undefined ? [] : ["H"]),
      ]);
      expect(fields.get("M")).toBe(message.replaceAll("\0", ""));
      expect(fields.get("H")).toBe(hint?.replaceAll("\0", ""));
    }),
  );
});

test.each([
  [unknownUser("x"), ["28P01", 'password authentication failed for user "x"', undefined]],
  [cannotConnectNow({ code: "c", message: "m", remedy: "r" }), ["57P03", "m", "r"]],
  [protocolViolation("p"), ["08P01", "p", undefined]],
])("%j has its SQLSTATE", (error, expected) => {
  const fields = parse(formatFatal(error));
  expect(["C", "M", "H"].map((letter) => fields.get(letter))).toEqual(expected);
  expect([fields.get("S"), fields.get("V")]).toEqual(["FATAL", "FATAL"]);
});

test("each of many keys leads to its own session, and those forgotten to none", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(4, 32, 256), fc.boolean())), (sessions) => {
      const keys = new CancelKeys();
      const issued = sessions.map(([length, isKept], at) => {
        const session = { pid: 1, key: Buffer.alloc(length, 1), socket: `/s${at}` };
        return { session, isKept, mine: keys.issue(session) };
      });
      for (const { isKept, mine } of issued) if (!isKept) mine.forget();
      const found = issued.map(({ mine }) => keys.find(mine));
      expect(found).toEqual(issued.map(({ session, isKept }) => (isKept ? session : undefined)));
      expect(new Set(issued.map(({ mine }) => mine.pid)).size).toBe(issued.length);
    }),
  );
});
