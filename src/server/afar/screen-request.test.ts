import { expect, test } from "vitest";

import { TOKEN_HEADER } from "../../protocol/headers.ts";
import { createScreen } from "./screen-request.ts";
import type { RequestHead, Wanted } from "./screen-request.ts";

const screen = createScreen((name) => name === "ramet.test");
const GOOD = {
  host: ["ramet.test"],
  "content-type": ["application/json"],
  [TOKEN_HEADER]: ["ramet_a_b"],
};

function statusOf(changes: Partial<RequestHead>, wanted: Wanted = "call"): number {
  const head = { method: "POST", url: "/calls/app.list", headersDistinct: GOOD, ...changes };
  return screen(head, wanted)?.status ?? 200;
}

test("a call of the command line is let in, and its tunnel", () => {
  expect(statusOf({})).toBe(200);
  const { "content-type": _, ...headersDistinct } = GOOD;
  expect(statusOf({ method: "GET", url: "/databases/a/b", headersDistinct }, "tunnel")).toBe(200);
});

test.each([
  [{ headersDistinct: { ...GOOD, host: undefined } }, 421],
  [{ headersDistinct: { ...GOOD, host: [] } }, 421],
  [{ headersDistinct: { ...GOOD, host: ["ramet.test", "ramet.test"] } }, 421],
  [{ headersDistinct: { ...GOOD, host: ["RAMET.TEST:7443"] } }, 200],
  [{ headersDistinct: { ...GOOD, origin: [""] } }, 403],
  [{ headersDistinct: { ...GOOD, [TOKEN_HEADER]: ["a", "b"] } }, 400],
  [{ headersDistinct: { ...GOOD, [TOKEN_HEADER]: undefined } }, 200],
  [{ method: undefined }, 405],
  [{ url: undefined }, 400],
  [{ url: "*" }, 400],
  [{ url: "http://ramet.test/calls/app.list" }, 400],
] as const)("a call with %j gets %d", (changes, status) => {
  expect(statusOf(changes)).toBe(status);
});

test.each([
  [{ headersDistinct: { ...GOOD, origin: ["https://ramet.test"] } }, 403],
  [{ headersDistinct: { ...GOOD, host: ["evil.example"] } }, 421],
  [{ headersDistinct: { ...GOOD, [TOKEN_HEADER]: ["a", "b"] } }, 400],
  [{ url: "ramet.test:443" }, 400],
] as const)("a tunnel with %j gets %d", (changes, status) => {
  expect(statusOf({ method: "GET", ...changes }, "tunnel")).toBe(status);
});
