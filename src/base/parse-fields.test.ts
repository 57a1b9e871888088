import fc from "fast-check";
import { expect, test } from "vitest";

import {
  parseFields,
  parseList,
  parseNullable,
  parseNumber,
  parseOneOf,
  parsePort,
  parseProblem,
  parseText,
  parseTextRecord,
} from "./parse-fields.ts";

const outcome = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    // Refused: that is an answer as well.
    return undefined;
  }
};

test("whatever JSON brings, what is parsed is of its type or refused", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(["string", "undefined"]).toContain(typeof outcome(() => parseText(value, "x")));
      expect(outcome(() => parseNumber(value, "x"))).not.toBeNaN();
      expect(Array.isArray(outcome(() => parseFields(value, "x")))).toBe(false);
      const texts = outcome(() => parseTextRecord(value, "x")) ?? {};
      expect(Object.values(texts).every((text) => typeof text === "string")).toBe(true);
      const problem = outcome(() => parseProblem(value));
      expect(problem === undefined || typeof problem.remedy === "string").toBe(true);
    }),
  );
});

test.each([
  ["null is no object", () => parseFields(null, "plan"), "Expected an object for plan."],
  ["a list is no object", () => parseFields([], "plan"), "Expected an object for plan."],
  ["a number is no text", () => parseText(1, "name"), "Expected a text for name."],
  ["a text is no number", () => parseNumber("1", "id"), "Expected a number for id."],
  ["no number is none", () => parseNumber(Number.NaN, "id"), "Expected a number for id."],
  ["no end is no number", () => parseNumber(Infinity, "id"), "Expected a number for id."],
  ["a fraction is no port", () => parsePort(80.5), "80.5 is no port."],
  ["nought is no port", () => parsePort(0), "0 is no port."],
  ["what 16 bits cannot hold is no port", () => parsePort(65_536), "65536 is no port."],
  ["an object is no list", () => parseList({}, String), "Expected a list for value."],
  ["another word is refused", () => parseOneOf("c", ["a", "b"]), "Expected one of a, b for value."],
])("%s, and the refusal names what was expected", (_what, work, message) => {
  expect(work).toThrow(message);
});

test("null is let through where it may stand, and nothing else in its stead", () => {
  expect(parseNullable(null, () => 1)).toBeNull();
  expect(parseNullable("x", (value) => parseText(value, "x"))).toBe("x");
  expect(() => parseNullable(undefined, (value) => parseText(value, "x"))).toThrow("a text");
});

test("of a record each value is looked at, and a name of JavaScript's own does no harm", () => {
  const value: unknown = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}');
  const record = parseTextRecord(value, "environment");
  expect(Object.entries(record)).toEqual([
    ["__proto__", "a"],
    ["constructor", "b"],
    ["toString", "c"],
  ]);
  expect(() => parseTextRecord({ A: "1", B: null }, "environment")).toThrow("a text for B");
});

test("of a list each item is looked at, in order", () => {
  expect(parseList([1, 2], (value) => parseNumber(value, "x") * 2)).toEqual([2, 4]);
  expect(() => parseList([1, "2"], (value) => parseNumber(value, "x"))).toThrow("a number");
});

test("a problem has its three texts and nothing more", () => {
  const fields = { code: "c", message: "m", remedy: "r" };
  expect(parseProblem({ ...fields, extra: 1 })).toEqual(fields);
  for (const name of ["code", "message", "remedy"])
    expect(() => parseProblem({ ...fields, [name]: null })).toThrow(`a text for ${name}`);
});
