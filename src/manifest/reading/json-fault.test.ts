import fc from "fast-check";
import { expect, test } from "vitest";

import { findJsonFault } from "./json-fault.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Only whether it is JSON is asked.
    return false;
  }
}

test("whatever is written by JSON.stringify has no fault", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      // That one key is refused, and fast-check is fond of it.
      fc.pre(!text.includes('"__proto__"'));
      expect(findJsonFault(text)).toBeUndefined();
    }),
  );
});

test("a text has a fault exactly when JSON.parse refuses it", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"b"',
    "1",
    "-",
    "01",
    "1e5",
    "1.",
    "true",
    "nul",
    " ",
    "\n",
    "'",
    "/",
    "\\",
    '"\\u00e',
    '"\\x"',
    '"\t"',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      const fault = findJsonFault(text);
      const isKnownExtra = fault?.reason.includes("a second time") ?? false;
      expect(fault === undefined || isKnownExtra).toBe(isJson(text));
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ['{"a": 1 "b": 2}', 1, 9, 'a comma or } is expected, not "\\""'],
  ['{"a": 1,\n "a": 2}', 2, 2, 'the key "a" stands here a second time'],
  ["[1,]", 1, 3, "JSON has no comma before ]"],
  ["{'a': 1}", 1, 2, "a key in double quotes is expected; JSON has no single quotes"],
  ['{"a": "b\n"}', 1, 7, "the string that begins here does not end on its line"],
  ['{"a": "\\q"}', 1, 8, "a backslash begins no escape of JSON's here"],
  ["{} x", 1, 4, "something stands after its end"],
  ["[".repeat(66), 1, 66, "it is nested too deeply"],
])("the fault of %j is at %i:%i", (text, ...where) => {
  const fault = findJsonFault(text);
  expect([fault?.line, fault?.column, fault?.reason]).toEqual(where);
});
