import { expect, test } from "vitest";

import { ENVIRONMENT } from "../fixtures/answers.ts";
import { requireDatabaseUrl, requireUrl } from "./required-address.ts";

const WITHOUT = { ...ENVIRONMENT, url: null, databaseUrl: null };

test("what an environment has is given, from afar as here", () => {
  expect(requireDatabaseUrl({ isAfar: true }, ENVIRONMENT)).toBe(ENVIRONMENT.databaseUrl);
  expect(requireUrl({ isAfar: false }, ENVIRONMENT)).toBe(ENVIRONMENT.url);
});

test("from afar it is no sign that an environment sleeps or is broken that it shows no address", () => {
  expect(() => requireDatabaseUrl({ isAfar: false }, WITHOUT)).toThrow("has no database now");
  expect(() => requireDatabaseUrl({ isAfar: true }, WITHOUT)).toThrow("this token may only read");
  expect(() => requireUrl({ isAfar: false }, WITHOUT)).toThrow("has no URL now");
  expect(() => requireUrl({ isAfar: true }, WITHOUT)).toThrow("no domain for environments");
});
