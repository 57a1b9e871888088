import { expect, test } from "vitest";

import { styleFor } from "../terminal/style.ts";
import { formatFork, formatRemedies } from "./fork-text.ts";

const style = styleFor({ isTerminal: false, columns: 80, write: () => true }, {}, 0);
const WHY = "copies share no blocks on this disk, and no standby was ready";
const REMEDY = "Make storage.";

test.each<[Parameters<typeof formatFork>[0], readonly string[]]>([
  [null, []],
  [
    { way: "reflink", bytes: 1e9, ms: 130, why: null, remedy: null },
    ["  database shares 1.0 GB with its source, after 130 ms"],
  ],
  [
    { way: "standby", bytes: null, ms: 64, why: null, remedy: null },
    ["  database was a standby, promoted after 64 ms"],
  ],
  [
    { way: "copy", bytes: 1.2e9, ms: 1400, why: WHY, remedy: REMEDY },
    [`  database was copied, 1.2 GB after 1.4 s: ${WHY}`],
  ],
  [
    { way: "copy", bytes: 2e7, ms: 90, why: WHY, remedy: REMEDY },
    [`  database was copied, 20 MB after 90 ms: ${WHY}`],
  ],
  [
    { way: "empty", bytes: null, ms: 50, why: null, remedy: null },
    ["  database is empty: nothing of its source's was asked for"],
  ],
])("how a database was forked is one line: %j", (fork, lines) => {
  expect(formatFork(fork, style)).toEqual(lines);
});

test("a quicker way is named to whoever waited, once", () => {
  const copy = { way: "copy", bytes: 1e9, why: WHY, remedy: REMEDY } as const;
  const [long, short] = [{ ...copy, ms: 1400 } as const, { ...copy, ms: 90 } as const];
  expect(formatRemedies([long, null, long, short], style)).toEqual([`  → ${REMEDY}`]);
  expect(formatRemedies([short, null], style)).toEqual([]);
});
