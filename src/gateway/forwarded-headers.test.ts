import { expect, test } from "vitest";

import { forwardRequestHeaders, forwardResponseHeaders } from "./forwarded-headers.ts";

const FROM = {
  address: "127.0.0.1",
  isEncrypted: false,
  host: "shop--x.localhost:4000",
  hops: 0,
};
const OWN = [
  ["X-Forwarded-For", "127.0.0.1"],
  ["X-Forwarded-Host", "shop--x.localhost:4000"],
  ["X-Forwarded-Proto", "http"],
  ["x-ramet-hops", "1"],
].flat();

test("what the client sends passes in its order, spelling and number", () => {
  const headers = ["Host", "shop--x.localhost:4000", "x-A", "1", "X-a", "2", "Cookie", "b=\u00e9"];
  expect(forwardRequestHeaders(headers, FROM)).toEqual([...headers, ...OWN]);
});

test.each([
  "X-Forwarded-For",
  "x-forwarded-host",
  "X-FORWARDED-PROTO",
  "X_Forwarded_For",
  "x-forwarded_port",
  "Forwarded",
  "X-Real-IP",
  "x-real_ip",
  "x-ramet-token",
  "X_Ramet_Hops",
  "x-ramet-hops",
])("a client cannot say %s of itself", (name) => {
  expect(forwardRequestHeaders([name, "10.0.0.1"], FROM)).toEqual(OWN);
});

test.each([
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "Proxy-Authorization",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
  "Expect",
  "HTTP2-Settings",
])("%s is of one connection alone", (name) => {
  expect(forwardRequestHeaders([name, "x"], FROM)).toEqual(OWN);
  expect(forwardResponseHeaders([Buffer.from(name), Buffer.from("x")])).toEqual([]);
});

test("headers that Connection names are dropped, but not those that say where a message goes and ends", () => {
  const headers = ["Connection", "close, X-Hop", "X-Hop", "1", "Host", "h", "Content-Length", "3"];
  const greedy = [...headers, "connection", "Host, content-length, X-Forwarded-For"];
  expect(forwardRequestHeaders(greedy, FROM)).toEqual(["Host", "h", "Content-Length", "3", ...OWN]);
});

test("an IPv4 client on an IPv6 socket is named by its IPv4 address", () => {
  expect(forwardRequestHeaders([], { ...FROM, address: "::ffff:10.1.2.3" })).toContain("10.1.2.3");
});

test("an answer keeps every cookie, and bytes above ASCII", () => {
  const raw = ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "X-Name", "\u00fc"];
  expect(forwardResponseHeaders(raw.map((text) => Buffer.from(text, "latin1")))).toEqual(raw);
});
