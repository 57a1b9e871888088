import { expect, test } from "vitest";

import { findNearest } from "./nearest.ts";

const NAMES = ["env create", "env list", "env delete", "var set", "dev", "doctor", "logs"];

test.each([
  ["env crate", "env create"],
  ["env lsit", "env list"],
  ["dve", "dev"],
  ["docter", "doctor"],
  ["doct", "doctor"],
  ["log", "logs"],
  ["env delte", "env delete"],
])("%s was probably meant as %s", (word, wanted) => {
  expect(findNearest(word, NAMES)).toBe(wanted);
});

test.each(["", "deploy", "x", "environment"])("nothing is near to %s", (word) => {
  expect(findNearest(word, NAMES)).toBeUndefined();
});

test("a word of any length is compared at its start only", () => {
  expect(findNearest("x".repeat(1_000_000), NAMES)).toBeUndefined();
});
