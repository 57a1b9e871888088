import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { parseAppName, parseEnvironmentName } from "../../environment/name.ts";
import { createEnvironmentId } from "../home/layout.ts";
import { LiveEnvironment } from "../live/live-environment.ts";
import { contextOf, layoutIn, STRANGER } from "../test-engine.ts";
import { StandbyDemand } from "./standby-demand.ts";

const MINUTE = 60_000;
/** Of the clock: an hour of 2026. */
const BEGAN_MS = Date.parse("2026-01-01T00:00:00.000Z");
let demand: StandbyDemand;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  demand = createDemand();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The time of day passes as the monotonic clock does. */
function createDemand(): StandbyDemand {
  return new StandbyDemand({ now: () => BEGAN_MS + performance.now() });
}

function liveNamed(name: string): LiveEnvironment {
  return new LiveEnvironment(contextOf(layoutIn("/nowhere")), {
    id: createEnvironmentId(),
    app: parseAppName("shop"),
    name: parseEnvironmentName(name),
    parent: null,
    createdAt: "2026-01-01T00:00:00.000Z",
    state: { kind: "awake" },
    files: { kind: "linked", path: "/nowhere" },
    database: null,
    ports: {},
    searchPath: "",
    uid: null,
    setupStamp: null,
    remaining: [],
    data: "all",
    missingMigrations: [],
    generation: 1,
    replaced: null,
  });
}

function namesOf(environments: readonly LiveEnvironment[]): readonly string[] {
  return demand.select(environments).map(({ record }) => record.name);
}

test("development is likely to be forked, and whoever was forked within the hour; the last one first", () => {
  const [development, one, two] = ["development", "one", "two"].map(liveNamed);
  if (development === undefined || one === undefined || two === undefined) throw new Error("3");
  const all = [development, one, two];
  vi.advanceTimersByTime(MINUTE);
  expect(namesOf(all)).toEqual(["development"]);
  demand.forked(one.record.id);
  vi.advanceTimersByTime(MINUTE);
  demand.forked(two.record.id);
  expect(namesOf(all)).toEqual(["two", "one", "development"]);
  vi.advanceTimersByTime(59.5 * MINUTE);
  expect(namesOf(all)).toEqual(["two", "development"]);
  demand.forget(two.record.id);
  expect(namesOf(all)).toEqual(["development"]);
});

test("what was forked lately is told once, and another that is told of it goes on from there", () => {
  const [one, two] = ["one", "two"].map(liveNamed);
  if (one === undefined || two === undefined) throw new Error("2");
  demand.forked(one.record.id);
  vi.advanceTimersByTime(20 * MINUTE);
  demand.forked(two.record.id);
  demand.forked(two.record.id);
  const told = demand.takeUnsaved();
  expect(told).toHaveLength(2);
  expect(demand.takeUnsaved()).toEqual([]);

  demand = createDemand();
  for (const { id, forkedAtMs } of told) demand.recall(id, forkedAtMs);
  expect(demand.takeUnsaved()).toEqual([]);
  expect(namesOf([one, two])).toEqual(["two", "one"]);
  vi.advanceTimersByTime(40 * MINUTE);
  expect(namesOf([one, two])).toEqual(["two"]);
});

test("a time to come, of a clock that was wrong, keeps nobody for longer than an hour", () => {
  const one = liveNamed("one");
  demand.recall(one.record.id, BEGAN_MS + 24 * 60 * MINUTE);
  expect(namesOf([one])).toEqual(["one"]);
  vi.advanceTimersByTime(60 * MINUTE);
  expect(namesOf([one])).toEqual([]);
});

test("each failure doubles the pause before the next try, up to ten minutes; a success ends it", () => {
  expect(demand.mayTry(STRANGER)).toBe(true);
  for (const seconds of [5, 10, 20, 40, 80, 160, 320, 600, 600]) {
    demand.failed(STRANGER);
    vi.advanceTimersByTime(seconds * 1000 - 1);
    expect(demand.mayTry(STRANGER)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(demand.mayTry(STRANGER)).toBe(true);
  }
  demand.failed(STRANGER);
  expect(demand.mayTry(STRANGER)).toBe(false);
  demand.succeeded(STRANGER);
  expect(demand.mayTry(STRANGER)).toBe(true);
});
