import { expect, test } from "vitest";

import { createEnvironmentId } from "../home/layout.ts";
import { chooseStandbyLimits, fits } from "../machine/standby-budget.ts";
import { planStandbys } from "./standby-plan.ts";
import type { KnownStandby, StandbyPhase, StandbySource } from "./standby-plan.ts";

const [A, B] = [createEnvironmentId(), createEnvironmentId()];

function source(id = A, changes: Partial<StandbySource> = {}): StandbySource {
  return { id, wanted: 1, isServing: true, isAwake: true, mayBuild: true, ...changes };
}

function standby(phase: StandbyPhase, of = A): KnownStandby {
  return { id: createEnvironmentId(), source: of, phase };
}

test("each source gets as many as it wants, one after another, and all together no more than there may be", () => {
  const build = (id: typeof A) => [{ kind: "build", source: id }];
  const both = [source(A, { wanted: 2 }), source(B)];
  expect(planStandbys(both, [], 8)).toEqual(build(A));
  expect(planStandbys(both, [standby("building")], 8)).toEqual([]);
  expect(planStandbys(both, [standby("following")], 8)).toEqual(build(A));
  expect(planStandbys(both, [standby("following"), standby("following")], 8)).toEqual(build(B));
  expect(planStandbys(both, [standby("following"), standby("following")], 2)).toEqual([]);
  expect(planStandbys(both, [], 0)).toEqual([]);
});

test("none is built of a source that may not be copied now, that wants none, or while one is being claimed", () => {
  expect(planStandbys([source(A, { mayBuild: false })], [], 8)).toEqual([]);
  expect(planStandbys([source(A, { wanted: 0 })], [], 8)).toEqual([]);
  expect(planStandbys([source()], [standby("claimed")], 8)).toEqual([]);
});

test("standbys rest while their source sleeps, and follow it again when it serves", () => {
  const [following, resting] = [standby("following"), standby("resting")];
  const asleep = source(A, { isServing: false, isAwake: false, mayBuild: false });
  expect(planStandbys([asleep], [following], 8)).toEqual([{ kind: "rest", id: following.id }]);
  const asked = source(A, { isAwake: false, mayBuild: false });
  for (const one of [following, resting]) expect(planStandbys([asked], [one], 8)).toEqual([]);
  expect(planStandbys([asleep], [resting], 8)).toEqual([]);
  expect(planStandbys([source()], [resting], 8)).toEqual([{ kind: "follow", id: resting.id }]);
});

test.each(["building", "following", "resting"] as const)(
  "one that is %s is removed when its source is gone, or wants fewer, or others come first",
  (phase) => {
    const one = standby(phase);
    const removed = [{ kind: "remove", id: one.id }];
    expect(planStandbys([], [one], 8)).toEqual(removed);
    expect(planStandbys([source(A, { wanted: 0 })], [one], 8)).toEqual(removed);
    const first = standby("following", B);
    expect(planStandbys([source(B), source(A)], [first, one], 1)).toEqual(removed);
  },
);

test("one that is being built is given up when its source goes to sleep", () => {
  const one = standby("building");
  const asleep = source(A, { isServing: false, mayBuild: false });
  expect(planStandbys([asleep], [one], 8)).toEqual([{ kind: "remove", id: one.id }]);
});

test("what is being changed, or is claimed by a fork, is left to whoever does that", () => {
  expect(planStandbys([], [standby("changing"), standby("claimed")], 8)).toEqual([]);
});

test.each([
  ["twice as much again stays free", 3.1, 2, true],
  ["less than twice as much would stay free", 2.9, 2, false],
  ["memory is short", 50, 0.1, false],
] as const)(
  "where %s beside a standby of 1 GB, it may be made or not",
  (...[, disk, memory, isRoom]) => {
    const gigabyte = 1024 ** 3;
    const free = { freeDisk: disk * gigabyte, freeMemory: memory * gigabyte };
    expect(fits({ bytes: gigabyte, isThere: false, ...free })).toBe(isRoom);
  },
);

test("a standby that is there stays until the disk is nearly full", () => {
  const [bytes, freeMemory] = [50 * 1024 ** 3, 0];
  expect(fits({ bytes, isThere: true, freeDisk: 2 * 1024 ** 3, freeMemory })).toBe(true);
  expect(fits({ bytes, isThere: true, freeDisk: 1024 ** 3 - 1, freeMemory })).toBe(false);
});

test("this machine may have a few standbys, and they are made when nobody is in a hurry", () => {
  const { most, calmMs, always } = chooseStandbyLimits();
  expect(most).toBeGreaterThanOrEqual(1);
  expect(most).toBeLessThanOrEqual(8);
  expect(calmMs).toBeGreaterThan(0);
  expect(always).toBe(false);
});
