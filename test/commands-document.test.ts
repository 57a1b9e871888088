import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { formatDocument, formatSummaries } from "../scripts/document.ts";
import { COMMANDS } from "../src/cli/command-table.ts";

const FILE = path.join(import.meta.dirname, "..", "docs", "commands.md");
const SUMMARIES_FILE = path.join(import.meta.dirname, "..", "src", "cli", "command-summaries.ts");

test("docs/commands.md says what the commands say; `npm run docs` makes it anew", async () => {
  expect(await readFile(FILE, "utf8"), "run `npm run docs`").toBe(await formatDocument());
});

test("the list of commands says what the commands say; `npm run docs` makes it anew", async () => {
  expect(await readFile(SUMMARIES_FILE, "utf8"), "run `npm run docs`").toBe(
    await formatSummaries(),
  );
});

test("the manual has every command, with its examples", async () => {
  const text = await formatDocument();
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  for (const { name, examples } of commands) {
    expect(text).toContain(`### ramet ${name}\n`);
    for (const { line } of examples) expect(text).toContain(line);
  }
});
