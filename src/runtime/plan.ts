import type { ProblemFields } from "../base/problem.ts";
import type { ReadyCheck } from "../environment/manifest.ts";
import {
  parseFields,
  parseList,
  parseNullable,
  parseNumber,
  parseProblem,
  parseText,
  parseTextRecord,
} from "./parse.ts";

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

export type RuntimePlan = {
  readonly processes: readonly ProcessPlan[];
  readonly relays: readonly RelayPlan[];
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

function parsePort(value: unknown): number {
  const port = parseNumber(value, "port");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${port} is no port.`);
  return port;
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
