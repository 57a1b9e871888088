/** `kill -9` of the server at every step of what makes, changes and removes environments. */
import { afterAll, beforeAll, expect, test } from "vitest";

import {
  findKillObstacle,
  killAtEveryStep,
  listForgottenStreams,
  openKillStage,
  WORKS,
} from "../journeys/kill-stage.ts";
import type { KillStage } from "../journeys/kill-stage.ts";
import { eventually } from "../journeys/stage.ts";

let own: KillStage;

beforeAll(async () => {
  own = await openKillStage();
}, 120_000);
afterAll(async () => own.stage.close());

test.for(WORKS)(
  "at every step of $name: all of it is there or nothing, and nobody else notices",
  { timeout: 900_000 },
  async (work, { skip }) => {
    const obstacle = await findKillObstacle(own, work);
    if (obstacle !== undefined) skip(obstacle);
    const steps = await killAtEveryStep(own, work);
    expect(steps).toEqual(expect.arrayContaining([...work.moments]));
    await eventually(async () => expect(await listForgottenStreams(own)).toEqual([]));
  },
);
