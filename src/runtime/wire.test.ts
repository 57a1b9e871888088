import { expect, test } from "vitest";

import type { RuntimePlan } from "./plan.ts";
import { type KeeperCommand, WIRE_VERSION, parseCommand, parseEvent } from "./wire.ts";

const PLAN: RuntimePlan = {
  processes: [
    process({ name: "web", port: 3000, ready: { kind: "http", path: "/", timeoutMs: 1 } }),
    process({ name: "api_2", port: 3001, ready: { kind: "port", timeoutMs: 1 } }),
    process({ name: "jobs", problem: { code: "c", message: "m", remedy: "r" } }),
  ],
  relays: [{ port: 5432, socket: "/run/x.sock", isHeld: false }],
};

test.each<KeeperCommand>([
  { kind: "apply", id: 1, logs: "/logs", mark: "h.id.runtime", plan: PLAN },
  { kind: "restart", id: 2, name: "web" },
  { kind: "stop", id: 3 },
])("the command $kind crosses the wire unchanged", (command) => {
  expect(parseCommand(JSON.parse(JSON.stringify(command)))).toEqual(command);
});

test("events cross the wire unchanged", () => {
  const state = { name: "web", state: "ready" as const, port: 1, pid: null, problem: null };
  const states = { kind: "states" as const, version: WIRE_VERSION, processes: [state] };
  const done = { kind: "done" as const, id: 4, problem: null };

  expect(parseEvent(JSON.parse(JSON.stringify(states)))).toEqual(states);
  expect(parseEvent(JSON.parse(JSON.stringify(done)))).toEqual(done);
});

test("of a keeper of another version only the version is understood", () => {
  expect(parseEvent({ kind: "states", version: 99, processes: "?" })).toEqual({
    kind: "states",
    version: 99,
    processes: [],
  });
});

test.each([
  ["no object", 7],
  ["no id", { kind: "stop" }],
  ["an unknown kind", { kind: "explode", id: 1 }],
  ["a name that is a path", apply(process({ name: "../web" }))],
  ["a name that is an old log's", apply(process({ name: "web.1" }))],
  ["a port out of range", apply(process({ port: 65_536 }))],
  ["a variable that is no text", apply({ ...process({}), environment: { A: 1 } })],
  ["an unknown way to be ready", apply({ ...process({}), ready: { kind: "soon" } })],
  ["a name given twice", apply(process({}), process({}))],
])("%s is no command", (_what, value) => {
  expect(() => parseCommand(value)).toThrow();
});

test("a state that we do not know is no event", () => {
  const state = { name: "web", state: "dancing", port: 1, pid: null, problem: null };
  expect(() => parseEvent({ kind: "states", version: WIRE_VERSION, processes: [state] })).toThrow(
    "one of",
  );
});

function process(
  change: Partial<RuntimePlan["processes"][number]>,
): RuntimePlan["processes"][number] {
  return {
    name: "web",
    command: "true",
    folder: "/",
    port: null,
    ready: { kind: "none" },
    environment: { A: "1" },
    problem: null,
    ...change,
  };
}

function apply(...processes: readonly unknown[]): unknown {
  return { kind: "apply", id: 1, logs: "/l", mark: "m", plan: { processes, relays: [] } };
}
