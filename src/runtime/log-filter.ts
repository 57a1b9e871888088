import { stripVTControlCharacters } from "node:util";
import { createContext, Script } from "node:vm";

import { messageOf } from "../base/problem.ts";
import { LOG_LEVELS, type LogLevel, type LogLine } from "../environment/environment.ts";
import { logPatternInvalid, logPatternSlow } from "./problems.ts";

export type LogFilterOptions = {
  /** ISO 8601 UTC. null: of all times. */
  readonly since?: string | null;
  /** None that are less serious; null: all. */
  readonly level?: LogLevel | null;
  /** A regular expression; without capitals it matches both cases. null: all. */
  readonly grep?: string | null;
};

/** Of lines that were read together: an expression that backtracks without end must not hold up everything else. */
const MATCH_LIMIT_MS = 1000;
const MATCH = new Script("texts.map((text) => pattern.test(text))");

/** Which lines of a log are asked for. */
export class LogFilter {
  readonly #since: string;
  readonly #least: number;
  readonly #pattern: RegExp | null;

  /** @throws `log_pattern_invalid` */
  constructor({ since = null, level = null, grep = null }: LogFilterOptions) {
    this.#since = since === null ? "" : new Date(since).toISOString();
    this.#least = level === null ? 0 : LOG_LEVELS.indexOf(level);
    this.#pattern = grep === null ? null : parsePattern(grep);
  }

  /** Whether lines before this one need not be looked at. */
  isPast(line: LogLine | undefined): boolean {
    return line !== undefined && line.time < this.#since;
  }

  /** @throws `log_pattern_slow` */
  select(lines: readonly LogLine[]): readonly LogLine[] {
    const wanted = lines.filter(
      ({ time, level }) => time >= this.#since && LOG_LEVELS.indexOf(level) >= this.#least,
    );
    if (this.#pattern === null || wanted.length === 0) return wanted;
    const matches = matchAll(this.#pattern, wanted);
    return wanted.filter((_, index) => matches[index] === true);
  }
}

function parsePattern(source: string): RegExp {
  try {
    return new RegExp(source, source === source.toLowerCase() ? "i" : "");
  } catch (error) {
    throw logPatternInvalid(source, messageOf(error));
  }
}

function matchAll(pattern: RegExp, lines: readonly LogLine[]): readonly unknown[] {
  const texts = lines.map(({ text }) => stripVTControlCharacters(text));
  try {
    const matches: unknown = MATCH.runInContext(createContext({ pattern, texts }), {
      timeout: MATCH_LIMIT_MS,
    });
    return Array.isArray(matches) ? matches : [];
  } catch (error) {
    throw isTimeout(error) ? logPatternSlow(pattern.source) : error;
  }
}

/** Thrown in a world of its own, it is no `Error` of ours. */
function isTimeout(error: unknown): boolean {
  const isObject = typeof error === "object" && error !== null;
  return isObject && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}
