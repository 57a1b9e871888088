import fc from "fast-check";
import { expect, test } from "vitest";

import { findAddress, findAddressBelow, formatHost } from "./address.ts";
import { parseAppName, parseEnvironmentName } from "./name.ts";

const app = parseAppName("shop");
const environment = parseEnvironmentName("agent-1");

test("an environment's address names app and environment", () => {
  expect(formatHost({ app, environment, process: null })).toBe("shop--agent-1.localhost");
});

test("a second process lies below it, so that both are one site", () => {
  expect(formatHost({ app, environment, process: "api" })).toBe("api.shop--agent-1.localhost");
});

test.each([null, "api"])("an address is found again from its host name (process %j)", (process) => {
  const address = { app, environment, process };
  expect(findAddress(formatHost(address))).toEqual(address);
  expect(findAddress(formatHost(address).toUpperCase())).toEqual(address);
});

test.each([
  "localhost",
  "shop.localhost",
  "shop--agent-1.example.com",
  "shop--agent-1.localhost.example.com",
  "a.b.shop--agent-1.localhost",
  "shop--agent--1.localhost",
  "--agent-1.localhost",
  "shop--.localhost",
  "127.0.0.1",
  "",
])("%j is nobody's address", (host) => {
  expect(findAddress(host)).toBeUndefined();
});

test("no host name, however odd, makes the search fail", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (host) => findAddress(host)?.app !== ""));
});

test.each([
  ["shop--agent-1.dev.example.com", null],
  ["SHOP--AGENT-1.dev.example.com", null],
  ["shop--agent-1--api.dev.example.com", "api"],
])("below a domain of one's own %s is an address", (host, process) => {
  expect(findAddressBelow("dev.example.com", host)).toEqual({ app, environment, process });
});

test.each([
  "dev.example.com",
  "shop.dev.example.com",
  "shop--agent-1.example.com",
  "shop--agent-1.other.example.com",
  "shop--agent-1.xdev.example.com",
  "shop--agent-1xdev.example.com",
  "api.shop--agent-1.dev.example.com",
  "shop--agent-1--.dev.example.com",
  "shop--agent-1--api--x.dev.example.com",
  "--agent-1.dev.example.com",
  "shop--agent-1.localhost",
  "",
])("below a domain of one's own %j is nobody's address", (host) => {
  expect(findAddressBelow("dev.example.com", host)).toBeUndefined();
});
