import { expect, test } from "vitest";

import { isEnvironmentId } from "../../environment/environment.ts";
import { DEFAULT_LIMITS } from "../../environment/manifest.ts";
import type { DatabasePlace } from "../../environment/places.ts";
import { failureOf } from "../test-home.ts";
import { changing, copyingAtRest, takingTurns, untilCopied } from "./place-use.ts";
import { MAX_BACKUPS } from "./settings.ts";

function placeAt(folder: string): DatabasePlace {
  const id = "abcdefghijklmnop";
  if (!isEnvironmentId(id)) throw new Error("It is an id.");
  return {
    id,
    folder,
    socketFolder: "/s",
    log: "/l",
    uid: null,
    mark: "m",
    limits: DEFAULT_LIMITS,
  };
}

test("at most so many live copies of one source run at once, and all get their turn", async () => {
  const place = placeAt("/turns");
  let active = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    active += 1;
    most = Math.max(most, active);
    await new Promise((resolve) => setImmediate(resolve));
    active -= 1;
  };
  await Promise.all(Array.from({ length: 3 * MAX_BACKUPS }, async () => takingTurns(place, work)));
  expect(most).toBe(MAX_BACKUPS);
  expect(active).toBe(0);
});

test("a turn is passed on by one that fails", async () => {
  const place = placeAt("/failing");
  const failing = Array.from({ length: MAX_BACKUPS }, async () =>
    takingTurns(place, async () => Promise.reject(new Error("no"))),
  );
  const last = takingTurns(place, async () => "done");
  expect((await Promise.allSettled(failing)).every(({ status }) => status === "rejected")).toBe(
    true,
  );
  expect(await last).toBe("done");
});

test("who changes a place waits for those that copy it at rest, failing or not", async () => {
  const place = placeAt("/rest");
  const order: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const good = copyingAtRest(
    place,
    gate.then(() => order.push("copied")),
  );
  const bad = copyingAtRest(
    place,
    gate.then(() => Promise.reject(new Error("full"))),
  );
  const badEnds = failureOf(bad);
  const change = changing(place, async () => {
    await untilCopied(place);
    order.push("started");
  });
  open();
  await Promise.all([good, change]);
  expect(await badEnds).toMatchObject({ message: "full" });
  expect(order).toEqual(["copied", "started"]);
});
