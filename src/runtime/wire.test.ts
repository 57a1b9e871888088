import { expect, test } from "vitest";

import type { RuntimePlan, StepPlan } from "./plan.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { type KeeperCommand, WIRE_VERSION, parseCommand, parseEvent } from "./wire.ts";

const SANDBOX: Sandbox = {
  tool: "bubblewrap",
  program: "/usr/bin/bwrap",
  hostname: "shop--x",
  mounts: [
    { kind: "read", from: "/usr", to: "/usr" },
    { kind: "write", from: "/data/home", to: "/home/me" },
    { kind: "link", target: "usr/bin", to: "/bin" },
  ],
};

const BOUNDS = { openFiles: 1_000, processes: 600, fileBytes: null };

const STEP: StepPlan = {
  name: "setup",
  command: "npm ci",
  folder: "/tree",
  environment: { A: "1" },
  sandbox: SANDBOX,
  bounds: { ...BOUNDS, processes: null, fileBytes: 1e9 },
  relays: [{ port: 5432, socket: "/run/x.sock", isHeld: false }],
  wayOut: { socket: "/run/way-out", hosts: null, taken: [] },
  timeoutMs: 1_000,
};

const PLAN: RuntimePlan = {
  processes: [
    process({ name: "web", port: 3000, ready: { kind: "http", path: "/", timeoutMs: 1 } }),
    process({ name: "api_2", port: 3001, ready: { kind: "port", timeoutMs: 1 }, bounds: BOUNDS }),
    process({ name: "jobs", sandbox: SANDBOX, problem: { code: "c", message: "m", remedy: "r" } }),
  ],
  relays: [{ port: 5432, socket: "/run/x.sock", isHeld: false }],
  inlets: "/run/inlets",
  addresses: { port: 7420, hosts: { "shop--x.localhost": 3000 } },
  wayOut: { socket: "/run/way-out", hosts: ["stripe.com"], taken: [3000] },
};

test.each<KeeperCommand>([
  { kind: "apply", id: 1, logs: "/logs", mark: "h.id.runtime", plan: PLAN },
  { kind: "restart", id: 2, name: "web" },
  { kind: "stop", id: 3 },
  { kind: "step", id: 4, logs: "/logs", mark: "h.id.runtime", step: STEP },
  { kind: "cancel", id: 5, step: 4 },
  { kind: "freeze", id: 6 },
  { kind: "thaw", id: 7 },
])("the command $kind crosses the wire unchanged", (command) => {
  expect(parseCommand(JSON.parse(JSON.stringify(command)))).toEqual(command);
});

test("events cross the wire unchanged", () => {
  const state = { name: "web", state: "ready" as const, port: 1, pid: null, problem: null };
  const states = {
    kind: "states" as const,
    version: WIRE_VERSION,
    hasOwnNetwork: true,
    canFreeze: true,
    isFrozen: true,
    processes: [state],
  };
  const result = { exitCode: null, signal: "SIGTERM", lastLines: ["a"] };
  const done = { kind: "done" as const, id: 4, problem: null, result };

  expect(parseEvent(JSON.parse(JSON.stringify(states)))).toEqual(states);
  expect(parseEvent(JSON.parse(JSON.stringify(done)))).toEqual(done);
});

test("of a keeper of another version only the version is understood", () => {
  expect(parseEvent({ kind: "states", version: 99, processes: "?" })).toEqual({
    kind: "states",
    version: 99,
    hasOwnNetwork: false,
    canFreeze: false,
    isFrozen: false,
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
  [
    "a mount of an unknown kind",
    apply({ ...process({}), sandbox: { ...SANDBOX, mounts: [{ kind: "move" }] } }),
  ],
  [
    "a step that is named as a path",
    { kind: "step", id: 1, logs: "/l", mark: "m", step: { ...STEP, name: "../x" } },
  ],
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
    sandbox: null,
    problem: null,
    ...change,
  };
}

function apply(...processes: readonly unknown[]): unknown {
  return {
    kind: "apply",
    id: 1,
    logs: "/l",
    mark: "m",
    plan: { processes, relays: [], inlets: null, addresses: null, wayOut: null },
  };
}
