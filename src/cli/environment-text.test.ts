import { expect, test } from "vitest";

import { exitCodeOf } from "./environment-text.ts";
import { CREATED } from "./fixtures/answers.ts";

test.each<[what: string, change: object, exitCode: number]>([
  ["that was made and runs", {}, 0],
  ["that has nothing to run", { processes: [] }, 0],
  ["whose setup failed", { state: "broken" }, 2],
  ["whose only process fell at once", { processes: [processIn("restarting")] }, 2],
  ["one of whose processes runs", { processes: [processIn("failed"), processIn("ready")] }, 0],
  ["that waits for a variable", { processes: [processIn("waiting")] }, 0],
])("an environment %s has an exit code to say so", (_what, change, exitCode) => {
  expect(exitCodeOf({ ...CREATED, problems: [], processes: [processIn("ready")], ...change })).toBe(
    exitCode,
  );
});

function processIn(state: "ready" | "failed" | "restarting" | "waiting"): {
  name: string;
  state: typeof state;
  port: number;
  pid: null;
} {
  return { name: "web", state, port: 1, pid: null };
}
