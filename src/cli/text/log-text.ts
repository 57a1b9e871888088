import type { LogLevel, LogLine } from "../../environment/environment.ts";
import { padTo, tameText } from "../terminal/style.ts";
import type { Paint, Style } from "../terminal/style.ts";

export type LogLook = {
  /** Of the processes that are known already. */
  readonly names: readonly string[];
  readonly hasTimes: boolean;
};

const COLORS: readonly Paint[] = ["cyan", "magenta", "yellow", "green", "blue"];
const MAX_NAME_WIDTH = 16;
const LEVEL_WIDTH = 5;

const LEVEL_PAINTS: Readonly<Record<LogLevel, Paint>> = {
  trace: "dim",
  debug: "dim",
  info: "green",
  warn: "yellow",
  error: "red",
  fatal: "red",
};

/** What loggers add to each line, and the beginning of ours says. */
const KNOWN_ANYWAY: ReadonlySet<string> = new Set(
  "time timestamp ts @timestamp pid hostname v".split(" "),
);

/** Gives each process a colour of its own, in the order in which they are first seen, and one width to all names. */
export class LogText {
  readonly #style: Style;
  readonly #hasTimes: boolean;
  readonly #colors = new Map<string, Paint>();
  #width = 0;

  constructor(style: Style, { names, hasTimes }: LogLook) {
    this.#style = style;
    this.#hasTimes = hasTimes;
    for (const name of names) this.#colorOf(name);
  }

  format(line: LogLine): string {
    const { paint } = this.#style;
    const color = this.#colorOf(line.process);
    const name = paint(color, `${padTo(line.process, this.#width)} │`);
    const clock = this.#hasTimes ? `${paint("dim", this.#formatTime(line.time))} ` : "";
    return `${clock}${name} ${this.#formatText(line)}`;
  }

  /** A line of JSON as its logger would have shown it to a person; others as they were printed. */
  #formatText({ stream, level, message, fields, text }: LogLine): string {
    const { paint, hasColors } = this.#style;
    const isJson = message !== text;
    if (!isJson)
      return stream === "ramet"
        ? paint("dim", tameText(text, hasColors))
        : tameText(text, hasColors);
    const mark = paint(LEVEL_PAINTS[level], padTo(level.toUpperCase(), LEVEL_WIDTH));
    const rest = Object.entries(fields)
      .filter(([name]) => !KNOWN_ANYWAY.has(name))
      .map(([name, value]) => `${name}=${formatValue(value)}`);
    const words = [tameText(message, hasColors), paint("dim", tameText(rest.join(" "), false))];
    return [mark, ...words.filter((word) => word !== "")].join(" ");
  }

  #colorOf(name: string): Paint {
    const known = this.#colors.get(name);
    if (known !== undefined) return known;
    const color = COLORS[this.#colors.size % COLORS.length] ?? "cyan";
    this.#colors.set(name, color);
    this.#width = Math.min(MAX_NAME_WIDTH, Math.max(this.#width, name.length));
    return color;
  }

  /** The local time of day, and the day where that is not today. */
  #formatTime(time: string): string {
    const at = new Date(time);
    const clock = at.toTimeString().slice(0, 8);
    const isToday = at.toDateString() === new Date(this.#style.now).toDateString();
    return isToday ? clock : `${at.toDateString().slice(4, 10)} ${clock}`;
  }
}

function formatValue(value: unknown): string {
  return typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}
