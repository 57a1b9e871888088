import { expect, test } from "vitest";

import { detectIsolation } from "../runtime.ts";

test("what this machine gives is tried out, and what it does not give is said with its remedy", async () => {
  const isolation = await detectIsolation(null);
  const said =
    isolation.kind === "isolated" ? [isolation.program] : [isolation.why, isolation.remedy];
  for (const text of said) expect(text).not.toBe("");
  expect(isolation.kind === "isolated" ? isolation.program.startsWith("/") : true).toBe(true);
});
