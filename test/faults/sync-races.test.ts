/** A folder of an environment's tree turns into a link to a folder outside and back, all the time, while files are transferred. */
import path from "node:path";

import { expect, test } from "vitest";

import { monotonicMs, systemClock } from "../../src/base/clock.ts";
import type { Disk } from "../../src/sync/disk/disk.ts";
import { openDisk } from "../../src/sync/disk/real-disk.ts";
import { TreeSide } from "../../src/sync/side/tree-side.ts";
import { CheckedDisk } from "../sync/checked-disk.ts";
import { LinkRace } from "../sync/link-race.ts";

const RACE_MS = 30_000;
const SHOWN_MS = 60_000;

function sideOn(disk: Disk, store: string): TreeSide {
  const hints = { take: () => null, follow: () => false, leave: () => undefined };
  return new TreeSide({ disk, clock: systemClock, hints, pair: "test", store });
}

function nobody(): void {
  // Acts but the one who flips.
}

test.runIf(process.platform === "linux")(
  "in 30 s of it nothing outside is written, read or removed; who looks first and acts then is led there",
  async () => {
    const race = await LinkRace.open();
    try {
      const { remote, home } = race.folders.sides;
      const store = { base: path.dirname(home), path: path.basename(home) };
      const real = sideOn(openDisk({ tree: remote, store }), home);
      for (const end = monotonicMs() + RACE_MS; monotonicMs() < end;)
        expect(await race.attack(real)).toEqual([]);
      expect(await race.findDamage()).toBeNull();
      process.stdout.write(`${race.rounds} rounds\n`);
      const checked = sideOn(new CheckedDisk({ tree: remote, store: home, between: nobody }), home);
      const end = monotonicMs() + SHOWN_MS;
      while ((await race.findDamage()) === null && monotonicMs() < end)
        await race.attack(checked).catch(() => []); // It meets the link where it looks for none.
      expect(await race.findDamage()).not.toBeNull();
    } finally {
      await race.close();
    }
  },
);
