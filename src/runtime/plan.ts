import {
  parseFields,
  parseList,
  parseNullable,
  parseNumber,
  parsePort,
  parseProblem,
  parseText,
  parseTextRecord,
} from "../base/parse-fields.ts";
import type { ProblemFields } from "../base/problem.ts";
import type { ReadyCheck } from "../environment/manifest.ts";
import { type Bounds, parseBounds } from "./bounds.ts";
import { type Sandbox, parseSandbox } from "./sandbox/sandbox.ts";
import { type WayOutPlan, parseWayOut } from "./way-out/way-out-plan.ts";

export type ProcessPlan = {
  readonly name: string;
  /** For `sh -c`. */
  readonly command: string;
  /** Absolute. */
  readonly folder: string;
  /** On which it is told to listen; null: it listens nowhere. */
  readonly port: number | null;
  readonly ready: ReadyCheck;
  /** All of it, but for the marks by which we find the process again. */
  readonly environment: Readonly<Record<string, string>>;
  /** null: it sees the whole machine, as far as its user may. */
  readonly sandbox: Sandbox | null;
  /** Absent: the usual ones. */
  readonly bounds?: Bounds;
  /** Set: it is not started and waits for this to be settled. */
  readonly problem: ProblemFields | null;
};

/** A loopback TCP port whose connections lead to a unix socket, raw bytes both ways. */
export type RelayPlan = {
  readonly port: number;
  readonly socket: string;
  /** Connections wait until a plan says otherwise: nobody may speak to the socket yet. */
  readonly isHeld: boolean;
};

/** The environment's own addresses, where its network is its own: a host name's port. */
export type OwnAddresses = {
  readonly port: number;
  readonly hosts: Readonly<Record<string, number>>;
};

export type RuntimePlan = {
  readonly processes: readonly ProcessPlan[];
  readonly relays: readonly RelayPlan[];
  /** Where each port that is served gets a socket by which it is reached from outside; null: from outside it is the same port. */
  readonly inlets: string | null;
  /** null: where its network is the machine's, the gateway answers. */
  readonly addresses: OwnAddresses | null;
  /** null: nothing outside is reached, or the network is the machine's. */
  readonly wayOut: WayOutPlan | null;
};

/** A command that is run to its end: `setup`, `migrate`, `seed`. */
export type StepPlan = {
  /** Its log's name. */
  readonly name: string;
  /** For `sh -c`. */
  readonly command: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox | null;
  /** Absent: the usual ones. */
  readonly bounds?: Bounds;
  /** Opened before it, and left open. */
  readonly relays: readonly RelayPlan[];
  /** null: as it is. */
  readonly wayOut: WayOutPlan | null;
  readonly timeoutMs: number;
};

/** Becomes a file's name and a part of a host name. */
const PROCESS_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/i;

export function isProcessName(name: string): boolean {
  return PROCESS_NAME.test(name);
}

/** @throws Error when it is none */
export function parseRuntimePlan(value: unknown): RuntimePlan {
  const fields = parseFields(value, "plan");
  const processes = parseList(fields["processes"], parseProcessPlan);
  if (new Set(processes.map(({ name }) => name)).size < processes.length) {
    throw new Error("Two processes have the same name.");
  }
  return {
    processes,
    relays: parseList(fields["relays"], parseRelayPlan),
    inlets: parseNullable(fields["inlets"], (folder) => parseText(folder, "inlets")),
    addresses: parseNullable(fields["addresses"], parseAddresses),
    wayOut: parseNullable(fields["wayOut"], parseWayOut),
  };
}

/** @throws Error when it is none */
export function parseStepPlan(value: unknown): StepPlan {
  const fields = parseFields(value, "step");
  const name = parseText(fields["name"], "name");
  if (!isProcessName(name)) throw new Error(`${JSON.stringify(name)} cannot name a step.`);
  return {
    name,
    command: parseText(fields["command"], "command"),
    folder: parseText(fields["folder"], "folder"),
    environment: parseTextRecord(fields["environment"], "environment"),
    sandbox: parseNullable(fields["sandbox"], parseSandbox),
    ...parseBounds(fields["bounds"]),
    relays: parseList(fields["relays"], parseRelayPlan),
    wayOut: parseNullable(fields["wayOut"], parseWayOut),
    timeoutMs: parseNumber(fields["timeoutMs"], "timeoutMs"),
  };
}

function parseProcessPlan(value: unknown): ProcessPlan {
  const fields = parseFields(value, "process");
  const name = parseText(fields["name"], "name");
  if (!isProcessName(name)) throw new Error(`${JSON.stringify(name)} cannot name a process.`);
  return {
    name,
    command: parseText(fields["command"], "command"),
    folder: parseText(fields["folder"], "folder"),
    port: parseNullable(fields["port"], parsePort),
    ready: parseReadyCheck(fields["ready"]),
    environment: parseTextRecord(fields["environment"], "environment"),
    sandbox: parseNullable(fields["sandbox"], parseSandbox),
    ...parseBounds(fields["bounds"]),
    problem: parseNullable(fields["problem"], parseProblem),
  };
}

function parseRelayPlan(value: unknown): RelayPlan {
  const fields = parseFields(value, "relay");
  return {
    port: parsePort(fields["port"]),
    socket: parseText(fields["socket"], "socket"),
    isHeld: fields["isHeld"] === true,
  };
}

function parseAddresses(value: unknown): OwnAddresses {
  const fields = parseFields(value, "addresses");
  const hosts = Object.entries(parseFields(fields["hosts"], "hosts"));
  return {
    port: parsePort(fields["port"]),
    hosts: Object.fromEntries(hosts.map(([host, port]) => [host, parsePort(port)])),
  };
}

function parseReadyCheck(value: unknown): ReadyCheck {
  const fields = parseFields(value, "ready");
  switch (fields["kind"]) {
    case "none":
      return { kind: "none" };
    case "port":
      return { kind: "port", timeoutMs: parseNumber(fields["timeoutMs"], "timeoutMs") };
    case "http":
      return {
        kind: "http",
        path: parseText(fields["path"], "path"),
        timeoutMs: parseNumber(fields["timeoutMs"], "timeoutMs"),
      };
    default:
      throw new Error(`${JSON.stringify(fields["kind"])} is no way to be ready.`);
  }
}
