import type { CreatedEnvironment } from "../../protocol/schemas.ts";
import { padTo, widthOf } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";

type Step = CreatedEnvironment["timings"]["steps"][number];

const GAP = "  ";
const MOST_BAR_COLUMNS = 60;
/** Narrower than this a bar tells nothing. */
const LEAST_BAR_COLUMNS = 10;
const NUMBER_COLUMNS = 7;

/** Every step of a create, when it began and how long it took; bars show what ran beside what. */
export function formatTimings(
  { steps, total }: CreatedEnvironment["timings"],
  style: Style,
): string {
  const nameColumns = Math.max(0, ...steps.map(({ name }) => widthOf(name)));
  const fixed = 2 + nameColumns + 2 * (NUMBER_COLUMNS + GAP.length) + GAP.length;
  const room = Math.min(MOST_BAR_COLUMNS, style.columns - fixed);
  const columns = room < LEAST_BAR_COLUMNS ? 0 : room;
  const header = formatRow(["step", "from ms", "took ms"], nameColumns);
  const rows = steps.map((step) => {
    const numbers = [step.name, step.beganMs.toFixed(0), step.ms.toFixed(step.ms < 10 ? 1 : 0)];
    const bar = columns === 0 ? "" : style.paint("cyan", formatBar(step, total, columns));
    return `${formatRow(numbers, nameColumns)}${GAP}${bar}`.trimEnd();
  });
  return [style.paint("dim", header), ...rows].join("\n");
}

function formatRow([name = "", ...numbers]: readonly string[], nameColumns: number): string {
  const cells = numbers.map((text) => text.padStart(NUMBER_COLUMNS));
  return `  ${[padTo(name, nameColumns), ...cells].join(GAP)}`;
}

function formatBar({ beganMs, ms }: Step, total: number, columns: number): string {
  const scale = columns / Math.max(1, total);
  const from = Math.min(columns - 1, Math.floor(beganMs * scale));
  const length = Math.min(columns - from, Math.max(1, Math.round(ms * scale)));
  return " ".repeat(from) + "━".repeat(length);
}
