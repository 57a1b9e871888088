import type { Socket } from "node:net";

import {
  parseFields,
  parseList,
  parseNullable,
  parseNumber,
  parseOneOf,
  parseProblem,
  parseText,
} from "../base/parse-fields.ts";
import type { ProblemFields } from "../base/problem.ts";
import { PROCESS_STATES, type ProcessState } from "../environment/environment.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type RuntimePlan, type StepPlan, parseRuntimePlan, parseStepPlan } from "./plan.ts";
import type { StepResult } from "./step.ts";

/** Raised when a keeper of an older version would be misunderstood: it is then replaced. */
export const WIRE_VERSION = 2;

/** What a server asks of a keeper, a JSON object a line; each is answered by a `done` of its id. */
export type KeeperCommand =
  | {
      readonly kind: "apply";
      readonly id: number;
      readonly logs: string;
      readonly mark: string;
      readonly plan: RuntimePlan;
    }
  | { readonly kind: "restart"; readonly id: number; readonly name: string }
  /** Answered when it has ended. */
  | {
      readonly kind: "step";
      readonly id: number;
      readonly logs: string;
      readonly mark: string;
      readonly step: StepPlan;
    }
  /** Ends the step of that id, which is then answered. */
  | { readonly kind: "cancel"; readonly id: number; readonly step: number }
  /** Holds the processes still, unless somebody needs them; any other command sets them going again. */
  | { readonly kind: "freeze"; readonly id: number }
  | { readonly kind: "thaw"; readonly id: number }
  | { readonly kind: "stop"; readonly id: number };

/** What a keeper tells each server: the states at once and on every change, and that processes use their database. */
export type KeeperEvent =
  | {
      readonly kind: "states";
      readonly version: number;
      /** Its processes' ports are in a network that is not the server's. */
      readonly hasOwnNetwork: boolean;
      /** One that was started by an earlier version cannot. */
      readonly canFreeze: boolean;
      readonly isFrozen: boolean;
      readonly processes: readonly ProcessState[];
    }
  | { readonly kind: "used" }
  | {
      readonly kind: "done";
      readonly id: number;
      readonly problem: ProblemFields | null;
      /** Of a step that was run to its end. */
      readonly result: StepResult | null;
    };

/** A plan with the variables of many processes is far smaller. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** A reader that lags behind by more is given up. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

/** Whoever does not read, or is gone, is disconnected. */
export function send(socket: Socket, message: KeeperCommand | KeeperEvent): void {
  if (socket.destroyed || !socket.writable) return;
  socket.write(`${JSON.stringify(message)}\n`);
  if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
}

/** Calls with each message until the connection ends; one that makes no sense ends it. */
export function receive<T>(
  socket: Socket,
  parse: (value: unknown) => T,
  take: (message: T) => void,
): void {
  const splitter = new LineSplitter(MAX_MESSAGE_BYTES);
  socket.on("error", () => {
    // The other side has gone: `close` follows.
  });
  socket.on("data", (chunk) => {
    for (const line of splitter.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk)) {
      const message = parseLine(line, parse);
      if (message === undefined) return void socket.destroy();
      take(message);
    }
    return undefined;
  });
}

export function parseCommand(value: unknown): KeeperCommand {
  const fields = parseFields(value, "command");
  const id = parseNumber(fields["id"], "id");
  switch (fields["kind"]) {
    case "stop":
    case "freeze":
    case "thaw":
      return { kind: fields["kind"], id };
    case "restart":
      return { kind: "restart", id, name: parseText(fields["name"], "name") };
    case "cancel":
      return { kind: "cancel", id, step: parseNumber(fields["step"], "step") };
    case "step":
      return {
        kind: "step",
        id,
        logs: parseText(fields["logs"], "logs"),
        mark: parseText(fields["mark"], "mark"),
        step: parseStepPlan(fields["step"]),
      };
    case "apply":
      return {
        kind: "apply",
        id,
        logs: parseText(fields["logs"], "logs"),
        mark: parseText(fields["mark"], "mark"),
        plan: parseRuntimePlan(fields["plan"]),
      };
    default:
      throw new Error("Unknown command.");
  }
}

export function parseEvent(value: unknown): KeeperEvent {
  const fields = parseFields(value, "event");
  if (fields["kind"] === "used") return { kind: "used" };
  if (fields["kind"] === "done") {
    const id = parseNumber(fields["id"], "id");
    const problem = parseNullable(fields["problem"], parseProblem);
    return { kind: "done", id, problem, result: parseNullable(fields["result"], parseResult) };
  }
  const version = parseNumber(fields["version"], "version");
  const known = {
    kind: "states",
    version,
    hasOwnNetwork: fields["hasOwnNetwork"] === true,
    canFreeze: fields["canFreeze"] === true,
    isFrozen: fields["isFrozen"] === true,
  } as const;
  if (version !== WIRE_VERSION) return { ...known, processes: [] };
  return { ...known, processes: parseList(fields["processes"], parseState) };
}

function parseResult(value: unknown): StepResult {
  const fields = parseFields(value, "result");
  return {
    exitCode: parseNullable(fields["exitCode"], (code) => parseNumber(code, "exitCode")),
    signal: parseNullable(fields["signal"], (signal) => parseText(signal, "signal")),
    lastLines: parseList(fields["lastLines"], (line) => parseText(line, "line")),
  };
}

function parseState(value: unknown): ProcessState {
  const fields = parseFields(value, "state");
  return {
    name: parseText(fields["name"], "name"),
    state: parseOneOf(fields["state"], PROCESS_STATES),
    port: parseNullable(fields["port"], (port) => parseNumber(port, "port")),
    pid: parseNullable(fields["pid"], (pid) => parseNumber(pid, "pid")),
    problem: parseNullable(fields["problem"], parseProblem),
  };
}

function parseLine<T>(line: string, parse: (value: unknown) => T): T | undefined {
  try {
    return parse(JSON.parse(line));
  } catch {
    // Not of our kind, or cut: the caller hangs up.
    return undefined;
  }
}
