import { networkInterfaces } from "node:os";

import { expect, test } from "vitest";

import { parseErrand } from "./errand.ts";
import { isOutside } from "./outside-addresses.ts";
import { OutsideNames } from "./outside-names.ts";

const OWN = Object.values(networkInterfaces()).flatMap((all) =>
  (all ?? []).map(({ address }) => address),
);

test.each([
  "127.0.0.1",
  "127.99.0.1",
  "0.0.0.0",
  "0.1.2.3",
  "169.254.169.254",
  "198.18.0.16",
  "198.19.255.255",
  "224.0.0.1",
  "255.255.255.255",
  "::1",
  "::",
  "::ffff:127.0.0.1",
  "::FFFF:169.254.169.254",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "0:0:0:0:0:0:0:1",
  "localhost",
  "",
  "1.2.3",
  ...OWN,
])("%j is dialled for nobody", (address) => {
  expect(isOutside(address)).toBe(false);
});

test.each([
  "1.1.1.1",
  "10.9.8.7",
  "192.168.77.66",
  "198.17.0.1",
  "198.20.0.1",
  "172.99.3.2",
  "2606:4700::1111",
  "fd12:3456::1",
  "::ffff:1.1.1.1",
])("%s is outside", (address) => {
  expect(isOutside(address)).toBe(true);
});

test("a name keeps its address, and no two have the same", () => {
  const names = new OutsideNames();
  const first = names.require("a.test");
  expect(first).toEqual({ address: "198.18.0.16", isNew: true, forgotten: undefined });
  expect(names.require("b.test").address).toBe("198.18.0.17");
  expect(names.require("a.test")).toEqual({
    address: "198.18.0.16",
    isNew: false,
    forgotten: undefined,
  });
});

test("who asks for ever more names loses those that were asked for longest ago, not the others", () => {
  const names = new OutsideNames();
  const kept = names.require("kept.test").address;
  const forgotten: string[] = [];
  for (let number = 0; number < 1_000; number += 1) {
    forgotten.push(
      ...[names.require(`n${number}.test`).forgotten].flatMap((address) => address ?? []),
    );
    expect(names.require("kept.test")).toMatchObject({ address: kept, isNew: false });
  }
  expect(forgotten.length).toBeGreaterThan(700);
  expect(forgotten).not.toContain(kept);
  expect(new Set(forgotten).size).toBe(forgotten.length);
});

test("addresses never leave the range that is nobody's", () => {
  const names = new OutsideNames();
  for (let number = 0; number < 140_000; number += 1) {
    const { address } = names.require(`n${number}.test`);
    expect(address.startsWith("198.18.") || address.startsWith("198.19.")).toBe(true);
  }
});

test.each([
  { kind: "dial", host: "api.stripe.com", port: 443 },
  { kind: "resolve", host: "api.stripe.com" },
  { kind: "ask", message: "AAAA" },
  { kind: "stay" },
])("the errand $kind is understood as it was given", (errand) => {
  expect(parseErrand(JSON.parse(JSON.stringify(errand)))).toEqual(errand);
});

test.each([
  null,
  [],
  {},
  { kind: "dial", host: 1, port: 2 },
  { kind: "dial", host: "x", port: "22" },
  { kind: "listen" },
])("%j is no errand", (value) => {
  expect(() => parseErrand(value)).toThrow();
});
