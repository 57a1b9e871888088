import { afterEach, expect, test } from "vitest";

import { exists } from "../base/remove-inside.ts";
import { openControlGroups } from "../limits/limits.ts";
import { TestEngine } from "./test-engine.ts";

const LIMITS = { memoryBytes: 128e6, cpus: 0.5, processes: 40, diskBytes: null };

let stage: TestEngine;
afterEach(async () => stage.close());

test("an engine that closes left its empty control groups behind", async ({ skip }) => {
  stage = await TestEngine.open();
  const groups = await openControlGroups(stage.layout.home.id);
  if (groups === null) {
    skip("This machine gives us no control groups.");
    return;
  }
  await stage.reopen({ groups });
  await groups.set("left", LIMITS);
  const [folder = ""] = groups.folders("left");
  expect(await exists(folder)).toBe(true);
  await stage.reopen({ groups: null });
  expect(await exists(folder)).toBe(false);
});
