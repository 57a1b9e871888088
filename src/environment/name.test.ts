import fc from "fast-check";
import { expect, test } from "vitest";

import { Problem } from "../base/problem.ts";
import {
  MAX_APP_NAME,
  MAX_ENVIRONMENT_NAME,
  parseAppName,
  parseEnvironmentName,
  suggestAppName,
} from "./name.ts";

const HOSTILE = [
  "",
  ".",
  "..",
  "../x",
  "x'; drop table users;--",
  "--x",
  "-x",
  "x-",
  "a--b",
  "a b",
  "a/b",
  "a.b",
  "a_b",
  "é",
  "x\u0000",
  "x\n",
  "\u202Eabc",
  "a".repeat(MAX_ENVIRONMENT_NAME + 1),
  "a".repeat(100_000),
  "localhost",
  "RAMET",
  "api",
  "ａｂｃ",
];

test.each(HOSTILE)("the name %j is refused with one clear problem", (name) => {
  expect(() => parseEnvironmentName(name)).toThrow(Problem);
  expect(() => parseAppName(name)).toThrow(expect.objectContaining({ code: "name_invalid" }));
});

test.each(["x", "agent-1", "a1-b2-c3", "9", "a".repeat(MAX_ENVIRONMENT_NAME)])(
  "%j names an environment",
  (name) => {
    expect(parseEnvironmentName(name)).toBe(name);
  },
);

test("capital letters are lowered", () => {
  expect(parseEnvironmentName("Agent-Feature")).toBe("agent-feature");
});

test("an app's name leaves room for its environment's in one DNS label", () => {
  expect(MAX_APP_NAME + "--".length + MAX_ENVIRONMENT_NAME).toBeLessThanOrEqual(63);
  expect(() => parseAppName("a".repeat(MAX_APP_NAME + 1))).toThrow(/longer than/);
});

test("whatever text is given, a name is a DNS label or is refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      let name: string;
      try {
        name = parseEnvironmentName(text);
      } catch (error) {
        return error instanceof Problem;
      }
      return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) && !name.includes("--");
    }),
  );
});

test.each([
  ["@scope/My Shop", "my-shop"],
  ["My_App.js", "my-app-js"],
  ["---", "app"],
  ["api", "api-app"],
  ["a".repeat(40), "a".repeat(24)],
])("the app of a package called %j is suggested as %j", (text, name) => {
  expect(suggestAppName(text)).toBe(name);
});

test("whatever a folder is called, an app name is suggested for it", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      (text) => parseAppName(suggestAppName(text)) !== undefined,
    ),
  );
});
