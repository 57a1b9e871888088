import { defineConfig } from "vitest/config";

/** Long campaigns that fail or kill at every step: `npm run faults`. */
const FAULTS = "test/faults/**/*.test.ts";

export default defineConfig(({ mode }) => ({
  test: {
    include: mode === "faults" ? [FAULTS] : ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: mode === "faults" ? [] : [FAULTS],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: mode === "faults" ? 600_000 : 60_000,
    hookTimeout: 60_000,
  },
}));
