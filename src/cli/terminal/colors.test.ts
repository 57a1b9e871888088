import { afterEach, beforeEach, expect, test } from "vitest";

import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";
import { styleFor } from "./style.ts";

const NOW = 0;

let world: World;

beforeEach(async () => {
  world = await createWorld();
});

afterEach(() => world.close());

test.each<[what: string, environment: Record<string, string>, isTerminal: boolean, has: boolean]>([
  ["a terminal", {}, true, true],
  ["a pipe", {}, false, false],
  ["NO_COLOR", { NO_COLOR: "1" }, true, false],
  ["an empty NO_COLOR", { NO_COLOR: "" }, true, true],
  ["a dumb terminal", { TERM: "dumb" }, true, false],
  ["FORCE_COLOR", { FORCE_COLOR: "1" }, false, true],
  ["FORCE_COLOR=0", { FORCE_COLOR: "0" }, true, false],
  ["an empty FORCE_COLOR", { FORCE_COLOR: "" }, false, false],
  ["NO_COLOR before FORCE_COLOR", { FORCE_COLOR: "1", NO_COLOR: "1" }, true, false],
])("%s decides about colours", (...row) => {
  const [, environment, isTerminal, has] = row;
  const style = styleFor({ write: () => undefined, isTerminal, columns: 10 }, environment, NOW);
  expect(style.hasColors).toBe(has);
  expect(style.paint("red", "x") === "x").toBe(!has);
  expect(style.columns).toBe(isTerminal ? 20 : Infinity);
});

test("--no-color refuses them for one command, before and behind its name", async () => {
  const environment = { PATH: "/usr/bin:/bin", FORCE_COLOR: "1" };
  const coloured = await world.ramet(["server", "status"], { environment });
  expect(coloured.out).toContain("\u001b[");
  for (const argv of [
    ["--no-color", "server", "status"],
    ["server", "status", "--no-color"],
  ]) {
    const { out } = await world.ramet(argv, { environment });
    expect(out).toContain("not running");
    expect(out).not.toContain("\u001b[");
  }
});
