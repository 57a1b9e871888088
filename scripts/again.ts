/**
 * After a failed run of all tests: the few files that failed are run once more, by themselves. What passes then does not
 * stand in the way of what is to land, and is named: it is unsteady, which is a defect of the test or of what it tests.
 * More than a few are no matter of chance, and nor is a failure outside the tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { z } from "zod";

const MOST = 3;
const ROOT = path.join(import.meta.dirname, "..");
/** Where vitest.config.ts has it written in CI. */
const REPORT = path.join(ROOT, "node_modules", ".cache", "tests.json");

const reportSchema = z.object({
  testResults: z.array(z.object({ name: z.string(), status: z.string() })),
});

const failed = existsSync(REPORT) ? readFailed() : [];
process.exitCode = failed.length === 0 || failed.length > MOST ? 1 : runAgain();

function readFailed(): readonly string[] {
  const { testResults } = reportSchema.parse(JSON.parse(readFileSync(REPORT, "utf8")));
  const files = testResults.filter(({ status }) => status === "failed");
  return files.map(({ name }) => path.relative(ROOT, name));
}

function runAgain(): number {
  const names = failed.join(", ");
  process.stdout.write(`\n── once more, by themselves: ${names} ──\n`);
  const { status } = spawnSync("vitest", ["run", ...failed], { cwd: ROOT, stdio: "inherit" });
  if (status === 0)
    process.stdout.write(`\n⚠ unsteady, to be mended: ${names}\n✓ all else holds\n`);
  return status ?? 1;
}
