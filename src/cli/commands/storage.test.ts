import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";

const RECORD = JSON.stringify({ id: "0123456789abcdef", state: "used" });

let world: World;
let home: string;

beforeEach(async () => {
  world = await createWorld();
  home = world.contextAt().home.folder;
  await mkdir(path.join(home, "data"), { recursive: true });
});
afterEach(() => world.close());

test("a home without storage of its own says so, whether it is asked or not what to show", async () => {
  for (const argv of [
    ["server", "storage"],
    ["server", "storage", "show"],
  ]) {
    expect(await world.json(argv)).toBeNull();
    const { exitCode, out } = await world.ramet(argv);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: "○ No storage of its own\n" });
  }
});

test("storage is shown with its image, where it is mounted, and how full it is", async () => {
  await writeFile(path.join(home, "storage.json"), RECORD);
  await writeFile(path.join(home, "data", ".ramet-storage"), "0123456789abcdef");
  const { out } = await world.ramet(["server", "storage", "show"]);
  expect(out).toMatch(/^● Environments are forked in constant time\n/);
  expect(out).toContain(path.join(home, "storage", "image"));
  expect(out).toMatch(/mounted on +\S+data\n/);
  expect(out).toMatch(/used +[\d.]+ [MG]B, [\d.]+ [MG]B free/);
});

test("storage that is not mounted is shown as such, and exits well: it was only asked", async () => {
  await writeFile(path.join(home, "storage.json"), RECORD);
  const { exitCode, out } = await world.ramet(["server", "storage", "show"]);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^✗ The storage is not mounted\n/);
  expect(out).not.toContain("used");
});

test.each([
  [["destroy"], "argument_invalid"],
  [["create", "--size", "many"], "flag_invalid"],
  [["grow"], "flag_value_missing"],
  [["show", "more"], "argument_unexpected"],
])("server storage %j is refused before anything is done", async (argv, code) => {
  const { exitCode, out } = await world.ramet(["server", "storage", ...argv, "--json"]);
  expect(exitCode).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ problem: { code } });
  expect(await readdir(home)).toEqual(["data"]);
});

test.for(["create", "grow --size 1G", "remove"])(
  "%s tells whoever is not root what to type",
  async (action, { skip }) => {
    if (process.getuid?.() === 0) skip("root may do it");
    if (process.platform !== "linux") skip("it takes Linux");
    const argv = ["server", "storage", ...action.split(" "), "--json"];
    const { exitCode, out } = await world.ramet(argv);
    const remedy = expect.stringMatching(/^Run `sudo RAMET_HOME=.* server storage \w+`\.$/);
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ problem: { code: "root_needed", remedy } });
  },
);
