import { expect, test } from "vitest";

import { environmentSchema } from "../../protocol/schemas.ts";
import { CREATED, ENVIRONMENT } from "../fixtures/answers.ts";
import { styleFor } from "../terminal/style.ts";
import { exitCodeOf, formatEnvironment } from "./environment-text.ts";

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

const PLAIN = styleFor({ write: () => undefined, isTerminal: false, columns: Infinity }, {}, 0);
const SHOWN = environmentSchema.parse(ENVIRONMENT);

test("what its processes may take is said in one line, and what holds that in the next", () => {
  expect(formatEnvironment(SHOWN, PLAIN)).toContain(
    "limits     2.0 GB of memory, 2 processors, 4096 processes\n" +
      "  held by    memory, processes and disk by a look every second",
  );
  const pressure = { cpu: 0.004, memory: 0.25, io: 0 };
  const held = { heldBy: "looks", pressure };
  const limits = { memoryBytes: 5e8, cpus: 1, processes: 64, diskBytes: 1e9, ...held };
  const text = formatEnvironment({ ...SHOWN, limits }, PLAIN);
  expect(text).toContain("500 MB of memory, 1 processor, 64 processes, 1.0 GB of disk");
  expect(text).toMatch(/^ +waits +25 % memory$/m);
});

test("below a domain of the user's own it has another address", () => {
  expect(formatEnvironment(SHOWN, PLAIN)).not.toContain("also at");
  const domainUrl = "https://shop--agent.dev.example.com";
  expect(formatEnvironment({ ...SHOWN, domainUrl }, PLAIN)).toContain(`also at    ${domainUrl}`);
});

test("where its manifest cannot be read nothing is said of limits", () => {
  const text = formatEnvironment({ ...SHOWN, limits: null }, PLAIN);
  expect(text).not.toContain("limits");
  expect(text).not.toContain("held by");
});

test("one that is held still is told from one that runs and one that sleeps", () => {
  const symbols = (["awake", "frozen", "asleep"] as const).map((state) =>
    formatEnvironment({ ...SHOWN, state }, PLAIN).charAt(0),
  );
  expect(new Set(symbols).size).toBe(3);
  expect(formatEnvironment({ ...SHOWN, state: "frozen" }, PLAIN)).toContain("state      frozen");
});
