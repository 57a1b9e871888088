import { expect, test } from "vitest";

import { asksForWebSocket, inspectRequest, reasonAgainstUpgrade } from "./inspect-request.ts";

const HEAD = {
  httpVersion: "1.1",
  method: "GET",
  url: "/a?b",
  headersDistinct: { host: ["shop--x.localhost:4000"] },
  rawHeaders: ["Host", "shop--x.localhost:4000"],
};

function withHeaders(headers: Record<string, string[]>): typeof HEAD {
  return { ...HEAD, headersDistinct: { ...HEAD.headersDistinct, ...headers } };
}

test("a plain request is accepted with its path, its host and no body", () => {
  expect(inspectRequest(HEAD)).toEqual({
    kind: "accepted",
    method: "GET",
    path: "/a?b",
    host: "shop--x.localhost:4000",
    hostname: "shop--x.localhost",
    headers: ["Host", "shop--x.localhost:4000"],
    hasBody: false,
    hops: 0,
  });
});

test.each([
  ["two Host headers", withHeaders({ host: ["a.localhost", "b.localhost"] })],
  ["the same Host header twice", withHeaders({ host: ["a.localhost", "a.localhost"] })],
  ["no Host header", { ...HEAD, headersDistinct: {} }],
  ["a user in the Host", withHeaders({ host: ["u@a.localhost"] })],
  ["an open bracket in the Host", withHeaders({ host: ["[::1"] })],
  ["an absolute target", { ...HEAD, url: "http://evil/" }],
  ["an asterisk for a target", { ...HEAD, url: "*" }],
  ["an empty target", { ...HEAD, url: "" }],
  ["HTTP/0.9", { ...HEAD, httpVersion: "0.9" }],
  ["HTTP/2.0", { ...HEAD, httpVersion: "2.0" }],
  [
    "Transfer-Encoding in HTTP/1.0",
    { ...withHeaders({ "transfer-encoding": ["chunked"] }), httpVersion: "1.0" },
  ],
  ["both framings", withHeaders({ "transfer-encoding": ["chunked"], "content-length": ["3"] })],
  ["two lengths", withHeaders({ "content-length": ["3", "3"] })],
  ["a coding before chunked", withHeaders({ "transfer-encoding": ["gzip, chunked"] })],
  ["chunked twice", withHeaders({ "transfer-encoding": ["chunked", "chunked"] })],
  ["a coding that is not chunked", withHeaders({ "transfer-encoding": ["xchunked"] })],
])("%s is refused", (_, head) => {
  expect(inspectRequest(head)).toMatchObject({ kind: "refused" });
});

test.each([
  [{}, false],
  [{ "content-length": ["0"] }, false],
  [{ "content-length": ["5"] }, true],
  [{ "transfer-encoding": ["Chunked"] }, true],
])("a GET with %j: has a body is %s", (headers, hasBody) => {
  expect(inspectRequest(withHeaders(headers))).toMatchObject({ kind: "accepted", hasBody });
});

test.each([
  ["3", 3],
  ["-1", 0],
  ["many", 0],
  ["1.5", 0],
])("%s gateways passed are counted as %d", (hops, counted) => {
  expect(inspectRequest(withHeaders({ "x-ramet-hops": [hops] }))).toMatchObject({ hops: counted });
});

test("only websocket is an upgrade", () => {
  expect(asksForWebSocket(withHeaders({ upgrade: ["WebSocket"] }))).toBe(true);
  expect(asksForWebSocket(withHeaders({ upgrade: ["h2c"] }))).toBe(false);
  expect(asksForWebSocket(withHeaders({ upgrade: ["websocket", "h2c"] }))).toBe(false);
  expect(asksForWebSocket(withHeaders({ upgrade: ["websocket, h2c"] }))).toBe(false);
  expect(asksForWebSocket(HEAD)).toBe(false);
});

test("an upgrade is an HTTP/1.1 GET without a body", () => {
  const upgrade = withHeaders({ upgrade: ["websocket"] });
  expect(reasonAgainstUpgrade(upgrade)).toBeUndefined();
  expect(reasonAgainstUpgrade({ ...upgrade, method: "POST" })).toBeDefined();
  expect(reasonAgainstUpgrade({ ...upgrade, httpVersion: "1.0" })).toBeDefined();
  const headers = { ...upgrade.headersDistinct, "content-length": ["5"] };
  expect(reasonAgainstUpgrade({ ...upgrade, headersDistinct: headers })).toBeDefined();
});
