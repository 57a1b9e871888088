import fc from "fast-check";
import { expect, test } from "vitest";

import { MemoryDisk } from "../../../test/sync/memory-disk.ts";
import { isPlainPath } from "../core/paths.ts";
import type { Disk } from "../disk/disk.ts";
import { findTold, nameAsides, nameMoved } from "./aside.ts";
import { noteIntent } from "./intents.ts";

const FEW = 16;

function pathsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `folder/file-${index}`);
}

test("of few each name tells its path, whatever that is called, before and after it was moved", () => {
  const paths = fc.array(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter(isPlainPath),
    {
      minLength: 1,
      maxLength: FEW,
    },
  );
  fc.assert(
    fc.property(paths, (few) => {
      const asides = nameAsides(few);
      expect(new Set(asides).size).toBe(few.length);
      for (const name of asides) expect(name).toMatch(/^[^/\0]{1,250}$/);
      const told = asides.map((name) => findTold(name) ?? "(long)");
      expect(told).toEqual(
        few.map((path) => (encodeURIComponent(path).length <= 200 ? path : "(long)")),
      );
      expect(asides.map((name) => findTold(nameMoved(name)) ?? "(long)")).toEqual(told);
    }),
  );
});

test.each(["0-0", "0123456789ab-0+a%2", "0123456789ab-0+..%2Fout+", "0123456789ab-0+%E0+", "x+a+"])(
  "%s tells none",
  (name) => {
    expect(findTold(name)).toBeUndefined();
  },
);

/** Notes whether the disk was waited for. */
class Noting extends MemoryDisk {
  readonly waited: boolean[] = [];

  override async overwrite(
    ...[place, text, durably]: Parameters<Disk["overwrite"]>
  ): Promise<void> {
    this.waited.push(durably !== undefined);
    await super.overwrite(place, text);
  }
}

test.each([
  ["a few files", pathsOf(FEW), false],
  ["many", pathsOf(FEW + 1), true],
  ["one whose path is too long for a name", [`${"long/".repeat(45)}file`], true],
])(
  "before %s are put the disk is waited for where names do not tell all: %#",
  async (_, paths, waits) => {
    const disk = new Noting({
      onCall: () => undefined,
      onEvent: () => undefined,
      now: () => 0,
      exchanges: "yes",
    });
    const asides = nameAsides(paths);
    const steps = paths.map((path, index) => ({
      path,
      aside: asides[index] ?? "",
      entry: undefined,
      expected: undefined,
    }));
    await noteIntent(disk, "pair", steps);
    expect(disk.waited).toEqual([waits]);
  },
);
