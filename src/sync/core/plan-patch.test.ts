import fc from "fast-check";
import { expect, test } from "vitest";

import { joinStretches, type Piece, planPatch, type Stretch } from "./plan-patch.ts";

/** A file as its pieces: texts that stand for themselves. */
const anyFile = fc.array(fc.constantFrom("a", "bb", "ccc", "dddd", "e"), { maxLength: 30 });

function piecesOf(texts: readonly string[]): readonly Piece[] {
  return texts.map((text) => [text.length, text]);
}

function carryOut(stretches: readonly Stretch[], wanted: string, present: string): string {
  return stretches
    .map(({ offset, size, from }) =>
      from === null ? wanted.slice(offset, offset + size) : present.slice(from, from + size),
    )
    .join("");
}

test("what is there and what is brought make the wanted file, joined or not", () => {
  fc.assert(
    fc.property(anyFile, anyFile, (wanted, present) => {
      const stretches = planPatch(piecesOf(wanted), piecesOf(present));
      const [want, have] = [wanted.join(""), present.join("")];
      expect(carryOut(stretches, want, have)).toBe(want);
      expect(carryOut(joinStretches(stretches), want, have)).toBe(want);
      expect(stretches).toHaveLength(wanted.length);
    }),
  );
});

test("nothing is brought that is there, and nothing is taken from there that is not", () => {
  fc.assert(
    fc.property(anyFile, anyFile, (wanted, present) => {
      const stretches = planPatch(piecesOf(wanted), piecesOf(present));
      const have = new Set<string | undefined>(present);
      for (const [index, { from }] of stretches.entries())
        expect(from !== null).toBe(have.has(wanted[index]));
    }),
  );
});

test("stretches that follow each other on both sides are one", () => {
  const joined = joinStretches(
    planPatch(piecesOf(["a", "bb", "new", "newer", "ccc", "a"]), piecesOf(["x", "a", "bb", "ccc"])),
  );
  expect(joined).toEqual([
    { offset: 0, size: 3, from: 1 },
    { offset: 3, size: 8, from: null },
    { offset: 11, size: 3, from: 4 },
    { offset: 14, size: 1, from: 1 },
  ]);
});

test("a piece of the same hash that is said to be of another length is another", () => {
  expect(planPatch([[1e12, "a"]], [[1, "a"]])).toEqual([{ offset: 0, size: 1e12, from: null }]);
});
