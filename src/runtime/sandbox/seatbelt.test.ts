import { expect, test } from "vitest";

import type { Mount } from "./sandbox.ts";
import { planSeatbeltProfile } from "./seatbelt.ts";

const MOUNTS: readonly Mount[] = [
  { kind: "link", target: "usr/bin", to: "/bin" },
  { kind: "read", from: "/usr", to: "/usr" },
  { kind: "text", text: "x", to: "/etc/passwd" },
  { kind: "write", from: "/Users/ann/shop", to: "/Users/ann/shop" },
  { kind: "read", from: "/Users/ann/shop/.git", to: "/Users/ann/shop/.git" },
];

test("nothing is allowed but what is listed, and what is to be read within a tree is not written to", () => {
  const lines = planSeatbeltProfile(MOUNTS).trim().split("\n");
  expect(lines.slice(0, 2)).toEqual(["(version 1)", "(deny default)"]);
  expect(lines.slice(-5)).toEqual([
    '(allow file-read* (subpath "/usr"))',
    '(deny file-write* (subpath "/usr"))',
    '(allow file-read* file-write* (subpath "/Users/ann/shop"))',
    '(allow file-read* (subpath "/Users/ann/shop/.git"))',
    '(deny file-write* (subpath "/Users/ann/shop/.git"))',
  ]);
});

test("every parenthesis is closed, and a path cannot close one", () => {
  const from = '/Users/ann/a")(allow default)("\\';
  const profile = planSeatbeltProfile([{ kind: "read", from, to: from }]);
  expect(profile).toContain(String.raw`(subpath "/Users/ann/a\")(allow default)(\"\\")`);
  const outside = profile.replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
  expect(outside).not.toContain("allow default");
  expect(outside.split("(").length).toBe(outside.split(")").length);
});
