import { expect, test } from "vitest";

import { Problem } from "../../base/problem.ts";
import { findProxy } from "./proxies.ts";

const PROXY = "http://proxy.example:3128";

test.each([
  ["nothing is said", {}, undefined],
  ["HTTPS_PROXY", { HTTPS_PROXY: PROXY }, PROXY],
  ["https_proxy counts first", { HTTPS_PROXY: "http://other.example", https_proxy: PROXY }, PROXY],
  ["without a scheme", { https_proxy: "proxy.example:3128" }, PROXY],
  ["a proxy by https", { https_proxy: "https://proxy.example" }, "https://proxy.example"],
  ["empty", { https_proxy: "", HTTPS_PROXY: "" }, undefined],
  ["HTTP_PROXY is for others", { HTTP_PROXY: PROXY, http_proxy: PROXY }, undefined],
])("%s", (_, variables, origin) => {
  expect(findProxy("https://ramet.example.com:7443", variables)?.origin).toBe(origin);
});

test.each([
  ["https://ramet.example.com", "*", false],
  ["https://ramet.example.com", "ramet.example.com", false],
  ["https://ramet.example.com", "RAMET.example.COM.", false],
  ["https://ramet.example.com", "example.com", false],
  ["https://ramet.example.com", ".example.com", false],
  ["https://ramet.example.com", "*.example.com", false],
  ["https://ramet.example.com", "other.test, example.com", false],
  ["https://ramet.example.com", "other.test example.com", false],
  ["https://ramet.example.com", "example.com:443", false],
  ["https://ramet.example.com:7443", "example.com:7443", false],
  ["https://ramet.example.com:7443", "example.com:443", true],
  ["https://ramet.example.com", "ample.com", true],
  ["https://ramet.example.com", "ramet.example.com.evil.test", true],
  ["https://ramet.example.com", "com.", false],
  ["https://ramet.example.com", "", true],
  ["https://ramet.example.com", ",,", true],
  ["https://10.0.0.5:7443", "10.0.0.5", false],
  ["https://10.0.0.5:7443", "10.0.0.5:7443", false],
  ["https://10.0.0.5:7443", "0.0.5", true],
  ["https://[fd00::5]:7443", "fd00::5", false],
  ["https://[fd00::5]:7443", "[fd00::5]", false],
  ["https://[fd00::5]:7443", "[fd00::5]:7443", false],
  ["https://[fd00::5]:7443", "[fd00::5]:1", true],
  ["https://127.0.0.1:7443", "", false],
  ["https://localhost:7443", "", false],
  ["https://[::1]:7443", "", false],
  ["http://localhost:7443", "", false],
])("%s, where NO_PROXY is %j: by a proxy is %j", (url, exceptions, isProxied) => {
  const variables = { HTTPS_PROXY: PROXY, NO_PROXY: exceptions };
  expect(findProxy(url, variables) !== undefined).toBe(isProxied);
  expect(findProxy(url, { ...variables, no_proxy: "x.test" }) !== undefined).toBe(
    findProxy(url, { HTTPS_PROXY: PROXY }) !== undefined,
  );
});

test("a user and a password are for the proxy, and no part of what is shown", () => {
  const variables = { https_proxy: "http://anna:p%40ss%3A@proxy.example:3128" };
  expect(findProxy("https://ramet.example.com", variables)).toEqual({
    origin: PROXY,
    authorization: `Basic ${Buffer.from("anna:p@ss:").toString("base64")}`,
  });
});

test.each([
  "socks5://anna:secret@proxy.example",
  "http://anna:secret%@proxy.example",
  "http://anna:secret@:1:2",
])("%s is no proxy's URL, and what it holds is not said", (text) => {
  const find = (): unknown => findProxy("https://ramet.example.com", { HTTPS_PROXY: text });
  expect(find).toThrow(expect.objectContaining({ code: "proxy_invalid" }));
  expect(find).toThrow(Problem);
  expect(find).not.toThrow(/anna|secret/);
});
