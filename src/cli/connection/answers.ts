import { quote } from "../../base/problem.ts";
import {
  ENVIRONMENT_STATES,
  LOG_LEVELS,
  FORK_WAYS,
  LOG_STREAMS,
  PROCESS_STATES,
  PROGRESS_PARTS,
  PROGRESS_STATES,
  STANDBY_STATES,
} from "../../environment/environment.ts";
import type { CALLS, CallName, CallOutput } from "../../protocol/calls.ts";
import type { Message, messageSchema } from "../../protocol/messages.ts";
import { answerUnreadable } from "./problems.ts";

/**
 * A line of an answer, checked: by hand where that is soon done, else by the protocol's schemas, since to load their
 * library takes as long as all the rest of a quick command. @throws `answer_unreadable`
 */
export async function parseMessage(line: string): Promise<Message> {
  const value = parseJson(line);
  if (isQuickMessage(value)) return value;
  const messages = await import("../../protocol/messages.ts");
  if (isMessage(messages.messageSchema, value)) return value;
  throw answerUnreadable(`it holds ${quote(line)}`);
}

/** The same of what a call answers. @throws `answer_unreadable` */
export async function parseOutput<Name extends CallName>(
  name: Name,
  result: unknown,
): Promise<CallOutput<Name>> {
  if (isQuickOutput(name, result)) return result;
  const calls = await import("../../protocol/calls.ts");
  if (isOutput(calls.CALLS, name, result)) return result;
  throw answerUnreadable(`what ${name} answers is of another shape`);
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isProblem = objectOf({ code: isText, message: isText, remedy: isText });

const isFiles = objectOf({ kind: oneOf(["linked", "kept"]), path: isText });
const isTransfer = objectOf({
  app: isText,
  environment: isText,
  files: isFiles,
  changed: listOf(isText),
  displaced: orNull(isText),
});

const ENVIRONMENT: Readonly<Record<string, Check>> = {
  id: isText,
  app: isText,
  name: isText,
  state: oneOf(ENVIRONMENT_STATES),
  parent: orNull(isText),
  url: orNull(isText),
  domainUrl: orNull(isText),
  databaseUrl: orNull(isText),
  fronts: listOf(objectOf({ port: isNumber, process: isText })),
  files: isFiles,
  processes: listOf(
    objectOf({
      name: isText,
      state: oneOf(PROCESS_STATES),
      port: orNull(isNumber),
      pid: orNull(isNumber),
    }),
  ),
  isolation: orNull(isText),
  limits: orNull(
    objectOf({
      memoryBytes: isNumber,
      cpus: isNumber,
      processes: isNumber,
      diskBytes: orNull(isNumber),
      heldBy: isText,
      pressure: orNull(objectOf({ cpu: isNumber, memory: isNumber, io: isNumber })),
    }),
  ),
  problems: listOf(isProblem),
  ownBytes: orNull(isNumber),
  standbys: listOf(
    objectOf({
      id: isText,
      state: oneOf(STANDBY_STATES),
      diskBytes: isNumber,
      memoryBytes: isNumber,
      walBytes: isNumber,
    }),
  ),
  createdAt: isText,
  usedAt: isText,
  sleepsAt: orNull(isText),
  replacedUntil: orNull(isText),
};
const isEnvironment = objectOf(ENVIRONMENT);
const isCreated = objectOf({
  ...ENVIRONMENT,
  timings: objectOf({
    files: isNumber,
    database: isNumber,
    runtime: isNumber,
    total: isNumber,
    steps: listOf(objectOf({ name: isText, beganMs: isNumber, ms: isNumber })),
  }),
  databaseFork: orNull(
    objectOf({
      way: oneOf(FORK_WAYS),
      bytes: orNull(isNumber),
      ms: isNumber,
      why: orNull(isText),
      remedy: orNull(isText),
    }),
  ),
});

/** What is asked often, or by what must be quick. Never laxer than the schema: what fails here is checked by that. */
const QUICK_CHECKS: Partial<Record<CallName, Check>> = {
  "app.find": objectOf({ app: orNull(isText), environment: orNull(isText) }),
  "app.list": listOf(objectOf({ name: isText, environments: listOf(isText), createdAt: isText })),
  "app.create": isCreated,
  "environment.create": isCreated,
  "environment.reset": isCreated,
  "environment.list": listOf(isEnvironment),
  "environment.show": isEnvironment,
  "environment.start": isEnvironment,
  "environment.stop": isEnvironment,
  "environment.delete": objectOf({ app: isText, name: isText, folder: orNull(isText) }),
  "environment.variables": (value) =>
    isRecord(value) && Object.values(value).every((text) => isText(text)),
  "files.push": isTransfer,
  "files.pull": isTransfer,
  "files.status": objectOf({
    app: isText,
    environment: isText,
    files: isFiles,
    local: listOf(isText),
    remote: listOf(isText),
    conflicts: listOf(isText),
    absent: objectOf({ local: listOf(isText), remote: listOf(isText) }),
    unread: listOf(isText),
  }),
  "variable.list": listOf(
    objectOf({
      name: isText,
      secret: (value) => typeof value === "boolean",
      value: orNull(isText),
    }),
  ),
};

function isQuickOutput<Name extends CallName>(
  name: Name,
  result: unknown,
): result is CallOutput<Name> {
  return QUICK_CHECKS[name]?.(result) === true;
}

function isOutput<Name extends CallName>(
  calls: typeof CALLS,
  name: Name,
  result: unknown,
): result is CallOutput<Name> {
  return calls[name].output.safeParse(result).success;
}

function isMessage(schema: typeof messageSchema, value: unknown): value is Message {
  return schema.safeParse(value).success;
}

/** The kinds of message that a quick answer is made of. */
const QUICK_MESSAGES: Readonly<Record<string, Check>> = {
  result: () => true,
  problem: isProblem,
  progress: objectOf({
    part: oneOf(PROGRESS_PARTS),
    state: oneOf(PROGRESS_STATES),
    ms: isNumber,
    detail: orNull(isText),
  }),
  line: objectOf({
    time: isText,
    process: isText,
    stream: oneOf(LOG_STREAMS),
    level: oneOf(LOG_LEVELS),
    message: isText,
    fields: isRecord,
    text: isText,
  }),
};

function isQuickMessage(value: unknown): value is Message {
  if (!isRecord(value)) return false;
  const [[kind, content] = [], ...others] = Object.entries(value);
  return kind !== undefined && others.length === 0 && QUICK_MESSAGES[kind]?.(content) === true;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // What is no JSON is no message either, and that is what the caller says.
    return undefined;
  }
}

function objectOf(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields);
  return (value) => isRecord(value) && checks.every(([name, check]) => check(value[name]));
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every((item) => check(item));
}

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

function oneOf(values: readonly string[]): Check {
  return (value) => typeof value === "string" && values.includes(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
