import { padTo, wrap } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";

/** What a person may want to do after a command, and why. */
export type Hint = { readonly line: string; readonly why: string };

const LEAST_WHY_WIDTH = 24;

/** Dim, below what the command answered; nothing for no hints. */
export function formatHints(hints: readonly Hint[], style: Style): string {
  const width = Math.max(0, ...hints.map(({ line }) => line.length));
  const room = style.columns - width - 6;
  return hints
    .map(({ line, why }) => {
      if (room < LEAST_WHY_WIDTH)
        return `  → ${line}\n      ${wrap(why, style.columns - 6, " ".repeat(6))}`;
      return `  → ${padTo(line, width)}  ${wrap(why, room, " ".repeat(width + 6))}`;
    })
    .flatMap((text) => text.split("\n"))
    .map((text) => style.paint("dim", text))
    .join("\n");
}
