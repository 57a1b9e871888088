import { expect, test } from "vitest";

import { writeAtomically } from "../../base/write-atomically.ts";
import { NO_LIMITS } from "../../environment/manifest.ts";
import type { Manifest, RuntimeLimits } from "../../environment/manifest.ts";
import { findManifest } from "../../manifest/manifest.ts";
import { contextOf, createFolder, layoutIn, removeFolder } from "../test-engine.ts";
import { describeLimits, limitsOf, planBounds } from "./limiting.ts";

async function manifestWith(limits: Partial<RuntimeLimits>): Promise<Manifest> {
  const folder = await createFolder();
  try {
    await writeAtomically(`${folder}/ramet.json`, "{}");
    const manifest = await findManifest(folder);
    if (manifest === undefined) throw new Error("An empty ramet.json is a manifest.");
    return { ...manifest, limits: { ...NO_LIMITS, ...limits } };
  } finally {
    await removeFolder(folder);
  }
}

test("outside a user namespace of its own nobody's processes are counted against it", async () => {
  const manifest = await manifestWith({ processes: 100 });
  expect(planBounds(manifest, false).processes).toBeNull();
});

test.skipIf(process.platform !== "linux")(
  "inside, the system refuses what goes far beyond the limit, so that a look finds who goes over it first",
  async () => {
    const { processes } = planBounds(await manifestWith({ processes: 100 }), true);
    expect(processes).toBeGreaterThan(100);
    expect(processes).toBeLessThan(200);
  },
);

test("one file may go over what all may take, and no further", async () => {
  expect(planBounds(await manifestWith({}), true).fileBytes).toBeNull();
  const { fileBytes } = planBounds(await manifestWith({ diskBytes: 1e9 }), true);
  expect(fileBytes).toBeGreaterThan(1e9);
  expect(fileBytes).toBeLessThan(1.5e9);
});

test("the limits are shown with what holds them, whether there are control groups or not", async () => {
  const manifest = await manifestWith({ memoryBytes: 1e9 });
  const context = contextOf(layoutIn("/nowhere"));
  expect(describeLimits(context, manifest, null)).toEqual({
    pressure: null,
    ...limitsOf(manifest),
    heldBy: "processors by priority alone; memory, processes and disk by a look every second",
  });
  expect(limitsOf(manifest).memoryBytes).toBe(1e9);
  expect(limitsOf(manifest).processes).toBe(4096);
});
