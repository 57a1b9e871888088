import type { LogLine } from "../environment/environment.ts";
import { padTo, tameText } from "./style.ts";
import type { Paint, Style } from "./style.ts";

const COLORS: readonly Paint[] = ["cyan", "magenta", "yellow", "green", "blue"];
const MAX_NAME_WIDTH = 16;

/** Gives each process a colour of its own, in the order in which they are first seen, and one width to all names. */
export class LogText {
  readonly #style: Style;
  readonly #hasTimes: boolean;
  readonly #colors = new Map<string, Paint>();
  #width = 0;

  constructor(
    style: Style,
    options: { readonly names: readonly string[]; readonly hasTimes: boolean },
  ) {
    this.#style = style;
    this.#hasTimes = options.hasTimes;
    for (const name of options.names) this.#colorOf(name);
  }

  format({ time, process, stream, text }: LogLine): string {
    const { paint, hasColors } = this.#style;
    const color = this.#colorOf(process);
    const name = paint(color, `${padTo(process, this.#width)} │`);
    const tame = tameText(text, hasColors);
    const clock = this.#hasTimes ? `${paint("dim", formatClock(time))} ` : "";
    return `${clock}${name} ${stream === "ramet" ? paint("dim", tame) : tame}`;
  }

  #colorOf(name: string): Paint {
    const known = this.#colors.get(name);
    if (known !== undefined) return known;
    const color = COLORS[this.#colors.size % COLORS.length] ?? "cyan";
    this.#colors.set(name, color);
    this.#width = Math.min(MAX_NAME_WIDTH, Math.max(this.#width, name.length));
    return color;
  }
}

/** The local time of day. */
function formatClock(time: string): string {
  return new Date(time).toTimeString().slice(0, 8);
}
