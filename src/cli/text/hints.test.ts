import { stripVTControlCharacters } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { ENVIRONMENT } from "../fixtures/answers.ts";
import { createWorld } from "../fixtures/world.ts";
import type { World } from "../fixtures/world.ts";
import type { Writer } from "../terminal/context.ts";
import { styleFor, widthOf } from "../terminal/style.ts";
import { formatHints } from "./hints.ts";

const HINTS = [
  { line: "ramet dev", why: "Its logs, while you edit" },
  { line: "ramet run -- COMMAND", why: "A command with its variables and database" },
];

let world: World;

beforeEach(async () => {
  world = await createWorld();
  await world.serve({ "environment.stop": ENVIRONMENT });
  await world.bind();
});

afterEach(() => world.close());

class Terminal implements Writer {
  readonly isTerminal = true;
  readonly columns = 80;
  text = "";

  write(text: string): void {
    this.text += text;
  }
}

async function stopAt(argv: readonly string[], terminals: readonly string[]): Promise<string> {
  const [stdout, stderr] = [new Terminal(), new Terminal()];
  const changes = {
    ...(terminals.includes("stdout") ? { stdout } : {}),
    ...(terminals.includes("stderr") ? { stderr } : {}),
  };
  const { exitCode, err } = await world.ramet(["env", "stop", ...argv], changes);
  expect(exitCode).toBe(0);
  return stripVTControlCharacters(stderr.text + err);
}

test("a person at a terminal is told what can be done next", async () => {
  expect(await stopAt([], ["stdout", "stderr"])).toContain("→ ramet env start agent");
});

test.each([
  ["--quiet", ["--quiet"], ["stdout", "stderr"]],
  ["--json", ["--json"], ["stdout", "stderr"]],
  ["output that goes to a file", [], ["stderr"]],
  ["messages that go to a file", [], ["stdout"]],
])("with %s there is no hint", async (...row) => {
  const [, argv, terminals] = row;
  expect(await stopAt(argv, terminals)).not.toContain("ramet env start");
});

test.each([40, 60, 80])("hints fit %i columns, and a command stays on one line", (columns) => {
  const writer = { write: () => undefined, isTerminal: true, columns };
  const text = formatHints(HINTS, styleFor(writer, {}, 0));
  for (const line of text.split("\n")) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  for (const { line } of HINTS) expect(stripVTControlCharacters(text)).toContain(`→ ${line}`);
});
