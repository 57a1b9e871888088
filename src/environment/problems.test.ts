import { expect, test } from "vitest";

import { parseEnvironmentName } from "./name.ts";
import { migrationsMissing, resetSourceMissing } from "./problems.ts";

test("migrations that a branch lacks are named, the first three of them, with what to do", () => {
  const few = migrationsMissing({ tool: "Prisma", names: ["1_a", "2_b"] });
  expect(few.message).toMatch(/does not have|do not have: 1_a, 2_b\. .*Prisma/);
  expect(few.message).not.toContain("more");
  const names = Array.from({ length: 40 }, (_, index) => `${index}_x`);
  const many = migrationsMissing({ tool: "Knex", names });
  expect(many.message).toContain("0_x, 1_x, 2_x and 37 more");
  expect(many.remedy).toContain("--data none");
});

test("a reset without a source says whether there was one, and how to name another", () => {
  const name = parseEnvironmentName("agent");
  expect(resetSourceMissing(name, null).message).toContain("from no other environment");
  const gone = resetSourceMissing(name, parseEnvironmentName("middle"));
  expect(gone.message).toBe("middle, which agent was forked from, is gone.");
  expect(gone.remedy).toContain("ramet env reset agent --from ENV");
});
