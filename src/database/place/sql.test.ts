import fc from "fast-check";
import { expect, test } from "vitest";

import { quoteName, quoteText } from "./sql.ts";

test.each([
  ["my-shop", '"my-shop"'],
  ['a"; DROP TABLE t; --', '"a""; DROP TABLE t; --"'],
  ["", '""'],
])("the name %j is quoted", (name, quoted) => {
  expect(quoteName(name)).toBe(quoted);
});

test.each([
  ["it's", "'it''s'"],
  ["a\\b", " E'a\\\\b'"],
])("the text %j is quoted", (text, quoted) => {
  expect(quoteText(text)).toBe(quoted);
});

test("no text ends its own quotation", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", "\\", '"', "a", ";") }), (text) => {
      const inner = quoteText(text).trim().replace(/^E?'/, "").slice(0, -1);
      expect(inner.replaceAll("''", "").replaceAll("\\\\", "")).not.toMatch(/['\\]/);
      expect(quoteName(text).slice(1, -1).replaceAll('""', "")).not.toContain('"');
    }),
  );
});

test("a NUL byte is refused", () => {
  expect(() => quoteText("a\0b")).toThrow(/NUL/);
  expect(() => quoteName("a\0b")).toThrow(/NUL/);
});
