import fc from "fast-check";
import { expect, test } from "vitest";

import { parseHostname } from "./hostname.ts";

test.each([
  ["shop--x.localhost", "shop--x.localhost"],
  ["shop--x.localhost:4000", "shop--x.localhost"],
  ["SHOP--X.LocalHost:80", "shop--x.localhost"],
  ["api.shop--x.localhost", "api.shop--x.localhost"],
  ["a_b.shop--x.localhost", "a_b.shop--x.localhost"],
  ["localhost", "localhost"],
  ["127.0.0.1:4000", "127.0.0.1"],
  ["2130706433", "2130706433"],
  ["0177.0.0.1", "0177.0.0.1"],
  ["xn--bcher-kva.localhost", "xn--bcher-kva.localhost"],
  ["[::1]", "[::1]"],
  ["[::1]:4000", "[::1]"],
  ["[FE80::1]:65535", "[fe80::1]"],
  ["a:0", "a"],
])("the Host header %j names %j", (header, hostname) => {
  expect(parseHostname(header)).toBe(hostname);
});

test.each([
  "",
  " ",
  ".",
  ":80",
  "localhost.",
  "shop--x.localhost.",
  "shop--x.localhost.:4000",
  ".localhost",
  "a..localhost",
  "a@shop--x.localhost",
  "a:b@shop--x.localhost",
  "shop--x.localhost@evil",
  "shop--x.localhost:",
  "shop--x.localhost:4000:4000",
  "shop--x.localhost:99999",
  "shop--x.localhost:+80",
  "shop--x.localhost:8e1",
  "shop--x.localhost:0x50",
  "shop--x.localhost: 80",
  "shop--x.localhost/",
  "shop--x.localhost\\evil",
  "shop--x.localhost?x",
  "shop--x.localhost#x",
  "http://shop--x.localhost",
  "//shop--x.localhost",
  "shop--x.localhost,evil",
  "shop--x.localhost evil",
  "shop--x.localhost\u0000",
  "shop--x.localhost\r\nx: y",
  "shop%2d%2dx.localhost",
  "shop\u00addash.localhost",
  "shop\u2010x.localhost",
  "ſhop--x.localhost",
  "shop--x.localhoſt",
  "shop--x.LOCALHO\u212aST",
  "-shop.localhost",
  "shop-.localhost",
  "*.localhost",
  "[::1",
  "::1",
  "[::1]]",
  "[[::1]]",
  "[]",
  "[]:80",
  "[::1]80",
  "[::1]:",
  "[::1%eth0]",
  "[::1].localhost",
  "[shop--x.localhost]",
  "[v1.x]",
  "x[::1]",
  `${"a".repeat(64)}.localhost`,
  `${"a.".repeat(127)}localhost`,
])("the Host header %j names nothing", (header) => {
  expect(parseHostname(header)).toBeUndefined();
});

test("whatever a Host header holds, parsing never throws and answers only plain lower-case names", () => {
  const header = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.webAuthority({ withPort: true, withUserInfo: true, withIPv6: true, withIPv4Extended: true }),
    fc.stringMatching(/^[[\]:@.%a-z0-9-]{0,24}$/),
  );
  fc.assert(
    fc.property(header, (text) => {
      const hostname = parseHostname(text);
      expect(hostname ?? "none").toMatch(/^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])$/);
    }),
    { numRuns: 5000 },
  );
});

test("parsing what was parsed changes nothing", () => {
  fc.assert(
    fc.property(fc.domain(), fc.nat(65_535), (domain, port) => {
      const hostname = parseHostname(`${domain}:${port}`) ?? "none";
      expect(parseHostname(hostname)).toBe(hostname);
    }),
  );
});
