import type { styleText as styleTextType } from "node:util";

import type { Context, Writer } from "./context.ts";

/** As an import it would load all that `node:util` can do. */
const { stripVTControlCharacters, styleText } = process.getBuiltinModule("node:util");

export type Paint = Parameters<typeof styleTextType>[0];

/** How text is to look where it goes. */
export type Style = {
  readonly columns: number;
  /** Milliseconds since 1970, for ages. */
  readonly now: number;
  readonly hasColors: boolean;
  /** The text as it is where there are no colours. */
  readonly paint: (format: Paint, text: string) => string;
};

export function styleFor(writer: Writer, environment: Context["environment"], now: number): Style {
  const hasColors = wantsColors(writer, environment);
  return {
    columns: writer.isTerminal ? Math.max(20, writer.columns) : Infinity,
    now,
    hasColors,
    paint: (format, text) =>
      hasColors ? styleText(format, text, { validateStream: false }) : text,
  };
}

/** `NO_COLOR` refuses them, then `FORCE_COLOR` asks for them also where there is no terminal; both as those who set them mean. */
function wantsColors({ isTerminal }: Writer, environment: Context["environment"]): boolean {
  const { NO_COLOR: refusal = "", FORCE_COLOR: force = "", TERM: terminal } = environment;
  if (refusal !== "") return false;
  if (force !== "") return force !== "0" && force !== "false";
  return isTerminal && terminal !== "dumb";
}

/** Characters that a terminal shows of a text. */
export function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

export function padTo(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** Cuts a text without colours. */
export function cutTo(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width
    ? text
    : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Stands for a space at which a line is not to be broken, until it has been wrapped. */
export const NO_BREAK = "\u00a0";

/** Breaks at spaces; a word that is wider than that stays whole. Lines after the first get the indent besides. */
export function wrap(text: string, width: number, indent = ""): string {
  return text
    .split("\n")
    .flatMap((line) => wrapLine(line, width))
    .join(`\n${indent}`);
}

export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

const AGES: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
];

/** `5 min`, from an ISO 8601 time until now. */
export function formatAge(time: string, now: number): string {
  const ms = now - Date.parse(time);
  const [size, unit] = AGES.find(([least]) => ms >= least) ?? [1000, "s"];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}

/** `5 min`, from now until an ISO 8601 time; what has passed is `0 s`. */
export function formatLeft(time: string, now: number): string {
  return formatAge(new Date(now).toISOString(), Date.parse(time));
}

/** What a process prints may colour text, and must not do anything else to the terminal. */
export function tameText(text: string, hasColors: boolean): string {
  if (!hasColors) return dropControls(stripVTControlCharacters(text));
  const parts = text.split(COLOR);
  const hasColor = parts.length > 1;
  const tame = parts.map((part, index) =>
    index % 2 === 1 ? part : dropControls(stripVTControlCharacters(part)),
  );
  return hasColor ? `${tame.join("")}${RESET}` : tame.join("");
}

const ESCAPE = String.fromCodePoint(27);
const RESET = `${ESCAPE}[0m`;
const COLOR = new RegExp(`(${ESCAPE}\\[[0-9;:]*m)`);

function dropControls(text: string): string {
  return text.replace(/[^\P{Cc}\t]/gu, "");
}

function wrapLine(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line];
  const margin = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = margin;
  for (const word of line.trim().split(" ")) {
    const isEmpty = current === margin;
    if (!isEmpty && widthOf(current) + 1 + widthOf(word) > width) {
      lines.push(current);
      current = margin + word;
    } else current += isEmpty ? word : ` ${word}`;
  }
  return [...lines, current];
}
