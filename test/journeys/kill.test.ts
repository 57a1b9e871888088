/** `kill -9` of the server where a death leaves something else each time; `npm run faults` kills it at every step. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { findKillObstacle, killAt, openKillStage, WORKS } from "./kill-stage.ts";
import type { KillStage } from "./kill-stage.ts";

let own: KillStage;

beforeAll(async () => {
  own = await openKillStage();
}, 120_000);
afterAll(async () => own.stage.close());

describe.each(WORKS)("kill -9 of the server during $name", (work) => {
  test.for(work.moments)(
    "%s: all of it is there or nothing, and nobody else notices",
    { timeout: 120_000 },
    async (moment, { skip }) => {
      const obstacle = await findKillObstacle(own, work);
      if (obstacle !== undefined) skip(obstacle);
      expect(await killAt(own, work, moment)).toBe(moment);
    },
  );
});
