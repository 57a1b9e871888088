import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { keysAt, ramet } from "./schema.ts";

const PAGE = path.join(import.meta.dirname, "..", "..", "..", "docs", "manifest.md");
const PARTS = [
  [],
  ["processes", "web"],
  ["processes", "web", "ready"],
  ["database"],
  ["database", "limits"],
  ["variables", "NAME"],
  ["files"],
  ["limits"],
];

test("the page about ramet.json names every key that there is", async () => {
  const page = await readFile(PAGE, "utf8");
  const keys = PARTS.flatMap(keysAt);
  expect(keys.length).toBeGreaterThan(30);
  const isNamed = (key: string): boolean =>
    page.includes(`\`${key}\``) || page.includes(`.${key}\``) || page.includes(`"${key}":`);
  expect(keys.filter((key) => !isNamed(key))).toEqual([]);
});

test("its example is a valid file", async () => {
  const [, example = ""] = /```json\n(.*?)```/s.exec(await readFile(PAGE, "utf8")) ?? [];
  expect(ramet.safeParse(JSON.parse(example)).error).toBeUndefined();
});
