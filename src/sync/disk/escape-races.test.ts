import { createHash } from "node:crypto";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { CheckedDisk } from "../../../test/sync/checked-disk.ts";
import { openFolders, put, read, type Words } from "../../../test/sync/folders.ts";
import { InterruptedDisk } from "../../../test/sync/interrupted-disk.ts";
import { LinkRace } from "../../../test/sync/link-race.ts";
import { monotonicMs, systemClock } from "../../base/clock.ts";
import type { Plan } from "../core/plan.ts";
import type { Entry } from "../core/tree.ts";
import { TreeSide } from "../side/tree-side.ts";
import type { Sides } from "../sync.ts";
import type { Disk, Place } from "./disk.ts";
import { openDisk } from "./real-disk.ts";

const OUTSIDE = { "empty/": "", "folder/key": "precious", key: "same", other: "precious" };
const TREE = { "in/file": "1", "way/empty/": "", "way/key": "same", "way/other": "own" };
const RACE_MS = 2_000;
const SHOWN_MS = 40_000;
const FOLDER: Entry = { kind: "folder" };

function fileOf(bytes: string, executable = false): Entry {
  return { kind: "file", hash: createHash("sha256").update(bytes).digest("hex"), executable };
}

function sideOn(disk: Disk, store: string): TreeSide {
  const hints = { take: () => null, follow: () => false, leave: () => undefined };
  return new TreeSide({ disk, clock: systemClock, hints, pair: "test", store });
}

function nobody(): void {
  // Acts between two calls.
}

type Between = (use: keyof Disk, place: Place) => void;

function openReal({ remote, home }: Sides, between: Between): TreeSide {
  const store = { base: path.dirname(home), path: path.basename(home) };
  return sideOn(new InterruptedDisk(openDisk({ tree: remote, store }), between), home);
}

/** With the defence off. */
function openChecked({ remote, home }: Sides, between: Between): TreeSide {
  return sideOn(new CheckedDisk({ tree: remote, store: home, between }), home);
}

function planOf(name: string, entry: Entry | undefined, expected?: Entry): Plan {
  return entry === undefined && expected !== undefined
    ? { removals: [{ path: name, expected }], puts: [] }
    : { removals: [], puts: entry === undefined ? [] : [{ path: name, entry, expected }] };
}

const NOTHING: Plan = { removals: [], puts: [] };
/** What is read of it differs inside and outside. */
const OTHER = { path: "way/other" };
/** The call for the time of which a folder is a link, and the plan that makes that call. */
const MOMENTS: readonly (readonly [keyof Disk, Plan])[] = [
  ["link", planOf("way/new", fileOf("evil"))],
  ["exchange", planOf("way/key", fileOf("evil"), fileOf("same"))],
  ["move", planOf("way/key", undefined, fileOf("same"))],
  ["makeLink", planOf("way/link", { kind: "link", target: "key" })],
  ["makeFolder", planOf("way/made/", FOLDER)],
  ["removeFolder", planOf("way/empty/", undefined, FOLDER)],
  ["read", NOTHING],
];

type Outcome = { readonly outside: Words; readonly told: readonly string[] };

async function swapAt(
  [moment, plan]: (typeof MOMENTS)[number],
  open: (sides: Sides, between: Between) => TreeSide,
): Promise<Outcome> {
  const folders = await openFolders();
  const names = [...plan.puts, ...plan.removals, OTHER].map(({ path: name }) =>
    name.replace(/\/$/, ""),
  );
  try {
    const outside = path.join(folders.root, "outside");
    const way = path.join(folders.sides.remote, "way");
    await put(outside, OUTSIDE);
    await put(folders.sides.remote, TREE);
    let isSwapped = false;
    const side = open(folders.sides, (use, { area, path: name }) => {
      if (isSwapped || use !== moment || area !== "tree" || !names.includes(name)) return;
      isSwapped = true;
      renameSync(way, `${way}-real`);
      symlinkSync(outside, way);
      queueMicrotask(() => {
        rmSync(way);
        renameSync(`${way}-real`, way);
      });
    });
    await side.apply(plan, { read: () => [Buffer.from("evil")] });
    const { changes } = await side.look({ scope: "all", findIgnored: async () => new Set() });
    expect(isSwapped).toBe(true);
    const told = [...changes].filter(([, entry]) => isPrecious(entry)).map(([name]) => name);
    return { outside: await read(outside), told };
  } finally {
    await folders.close();
  }
}

function isPrecious(entry: Entry | undefined): boolean {
  return JSON.stringify(entry) === JSON.stringify(fileOf("precious"));
}

test.runIf(process.platform === "linux").each(MOMENTS)(
  "a folder that is a link in the instant of a %s leads nothing astray; who looks first and acts then is led",
  async (...moment) => {
    const untouched = { outside: OUTSIDE, told: [] };
    expect(await swapAt(moment, openReal)).toEqual(untouched);
    expect(await swapAt(moment, openChecked)).not.toEqual(untouched);
  },
);

test.runIf(process.platform === "linux")(
  "a folder that turns into a link and back all the time leads nothing astray; who looks first and acts then is led",
  async () => {
    const race = await LinkRace.open();
    try {
      const real = openReal(race.folders.sides, nobody);
      for (const end = monotonicMs() + RACE_MS; monotonicMs() < end;)
        expect(await race.attack(real)).toEqual([]);
      expect(await race.findDamage()).toBeNull();
      const checked = openChecked(race.folders.sides, nobody);
      const end = monotonicMs() + SHOWN_MS;
      while ((await race.findDamage()) === null && monotonicMs() < end)
        await race.attack(checked).catch(() => []); // It meets the link where it looks for none.
      expect(await race.findDamage()).not.toBeNull();
    } finally {
      await race.close();
    }
  },
);
