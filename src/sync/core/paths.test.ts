import fc from "fast-check";
import { expect, test } from "vitest";

import { isPlainPath, leadsInside } from "./paths.ts";

test.each(["a", "a/b", "a b/…", ".env", "..a", "a..", "empty/", "-rf", "~", "é", "CON"])(
  "%j is a path of a tree",
  (path) => expect(isPlainPath(path)).toBe(true),
);

test.each([
  ["a", "b", true],
  ["a/b", "../c", true],
  ["a/b", "../../c", false],
  ["a/b", "c/../../../d", false],
  ["a", "./b/./c", true],
  ["a", "/a", false],
  ["a", "", false],
])("a link %j to %j leads inside: %s", (...[path, target, isInside]) =>
  expect(leadsInside(path, target)).toBe(isInside),
);

const anyPart = fc.constantFrom("a", "b", "..", ".", "", "c d");

test("whatever leads inside by its words is inside once it is resolved", () => {
  const parts = fc.array(anyPart, { maxLength: 6 }).map((all) => all.join("/"));
  fc.assert(
    fc.property(parts, (target) => {
      const path = "x/y/link";
      if (!leadsInside(path, target)) return;
      const { pathname } = new URL(`x/y/${target}`, "file:///some/tree/");
      expect(pathname.startsWith("/some/tree")).toBe(true);
    }),
  );
});
