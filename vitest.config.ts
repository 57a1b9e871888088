import { defineConfig } from "vitest/config";
import type { TestUserConfig } from "vitest/config";

/** Long campaigns, each a mode and a chore: `npm run faults` fails or kills at every step, `npm run frameworks` tries stock apps, `npm run drivers` clients of PostgreSQL. */
const CAMPAIGNS = ["drivers", "faults", "frameworks"];

/** CI reads which files failed. */
const REPORTERS: TestUserConfig["reporters"] =
  process.env["CI"] === undefined
    ? ["default"]
    : ["default", ["json", { outputFile: "node_modules/.cache/tests.json" }]];

export default defineConfig(({ mode }) => {
  const folders = CAMPAIGNS.map((name) => `test/${name}/**/*.test.ts`);
  const isCampaign = CAMPAIGNS.includes(mode);
  return {
    test: {
      include: isCampaign
        ? [`test/${mode}/**/*.test.ts`]
        : ["src/**/*.test.ts", "test/**/*.test.ts"],
      exclude: isCampaign ? [] : folders,
      reporters: REPORTERS,
      pool: "forks",
      // Tests wait for real programs: with three files at a time a fifth of two processors' time was left.
      maxWorkers: 4,
      testTimeout: isCampaign ? 600_000 : 60_000,
      hookTimeout: 60_000,
    },
  };
});
