import { stripVTControlCharacters } from "node:util";

import { type Fields, parseFields } from "../base/parse-fields.ts";
import type { LogLevel, LogLine } from "../environment/environment.ts";

/** A line as its log keeps it. `level`: only of what Ramet says itself. */
export type KeptLine = Pick<LogLine, "time" | "process" | "stream" | "text"> & {
  readonly level?: LogLevel;
};

/** What loggers call their levels: pino and bunyan by number, Python, Go, Java, syslog and the clouds by word. */
const LEVELS: ReadonlyMap<unknown, LogLevel> = new Map<unknown, LogLevel>([
  [10, "trace"],
  [20, "debug"],
  [30, "info"],
  [40, "warn"],
  [50, "error"],
  [60, "fatal"],
  ...toLevel("trace", "trace verbose silly"),
  ...toLevel("debug", "debug"),
  ...toLevel("info", "info information notice http log default"),
  ...toLevel("warn", "warn warning"),
  ...toLevel("error", "error err"),
  ...toLevel("fatal", "fatal critical crit alert emerg emergency panic dpanic"),
]);
const LEVEL_KEYS = ["level", "severity", "levelname", "log.level", "lvl"];
const MESSAGE_KEYS = ["msg", "message", "event", "body"];

/** A level in front of a plain line, behind a time at most: `ERROR x`, `[warn] x`, `12:00:01 info: x`. */
const IN_FRONT = /^[\d\sTZ:.,+/[\]()|-]{0,48}(?:([A-Z]{3,9})\b|([A-Za-z]{3,9})(?=[\]:]))/;
const MAX_FRONT = 120;

/** Says of a line how serious it is and what it means, whatever logger wrote it. */
export function understandLine({ level: given, ...kept }: KeptLine): LogLine {
  const fields = kept.text.startsWith("{") ? findFields(kept.text) : undefined;
  if (fields !== undefined) return understandFields(kept, fields);
  const level = given ?? findLevelInFront(kept.text) ?? defaultLevel(kept);
  return { ...kept, level, message: kept.text, fields: {} };
}

function understandFields(kept: Omit<KeptLine, "level">, fields: Fields): LogLine {
  const levelKey = LEVEL_KEYS.find((key) => toKnownLevel(fields[key]) !== undefined);
  const messageKey = MESSAGE_KEYS.find((key) => typeof fields[key] === "string");
  const level = levelKey === undefined ? undefined : toKnownLevel(fields[levelKey]);
  const message = messageKey === undefined ? undefined : fields[messageKey];
  const others = Object.entries(fields).filter(([key]) => key !== levelKey && key !== messageKey);
  return {
    ...kept,
    level: level ?? defaultLevel(kept),
    message: typeof message === "string" ? message : "",
    fields: Object.fromEntries(others),
  };
}

function findFields(text: string): Fields | undefined {
  try {
    return parseFields(JSON.parse(text), "line");
  } catch {
    // It only looked like JSON: a plain line.
    return undefined;
  }
}

function toKnownLevel(value: unknown): LogLevel | undefined {
  return LEVELS.get(typeof value === "string" ? value.toLowerCase() : value);
}

function findLevelInFront(text: string): LogLevel | undefined {
  const [, loud, quiet] = IN_FRONT.exec(stripVTControlCharacters(text.slice(0, MAX_FRONT))) ?? [];
  return toKnownLevel(loud ?? quiet);
}

function defaultLevel({ stream }: Pick<KeptLine, "stream">): LogLevel {
  return stream === "stderr" ? "error" : "info";
}

function toLevel(level: LogLevel, words: string): [string, LogLevel][] {
  return words.split(" ").map((word) => [word, level]);
}
