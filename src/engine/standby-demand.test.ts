import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { parseAppName, parseEnvironmentName } from "../environment/name.ts";
import { createEnvironmentId } from "./layout.ts";
import { LiveEnvironment } from "./live-environment.ts";
import { StandbyDemand } from "./standby-demand.ts";
import { contextOf, layoutIn, STRANGER } from "./test-engine.ts";

const MINUTE = 60_000;
let demand: StandbyDemand;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
  demand = new StandbyDemand();
});
afterEach(() => {
  vi.useRealTimers();
});

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
