import { padTo, widthOf, wrap } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";

export type Column = {
  readonly title: string;
  /** Left out first where the terminal is narrow; the last such column goes before the others. */
  readonly isOptional?: boolean;
  /** Goes below its row, whole, where the terminal is too narrow even without the optional ones. */
  readonly isBelow?: boolean;
};

/** One row's cells, in the order of the columns; they may be coloured. */
export type Row = readonly string[];

const GAP = "  ";
const LEAST_VALUE_WIDTH = 16;

/** Aligned columns; where they do not fit, one goes below its row, else each row is a block of lines. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly Row[],
  style: Style,
): string {
  const kept = chooseColumns(columns, rows, style.columns);
  const shown = kept.map((index) => columns[index]?.title ?? "");
  const cells = rows.map((row) => kept.map((index) => row[index] ?? ""));
  const widths = widthsOf(shown, cells);
  if (lineWidth(widths) > style.columns) {
    const below = columns.findIndex(({ isBelow }) => isBelow === true);
    return below === -1
      ? formatBlocks(columns, rows, style)
      : formatWithBelow(columns, rows, { below, style });
  }
  const header = style.paint("dim", joinCells(shown, widths));
  return [header, ...cells.map((row) => joinCells(row, widths))].join("\n");
}

/** `label  value` lines, the values aligned, and broken between words where they are too long. */
export function formatFields(
  fields: readonly (readonly [label: string, value: string])[],
  style: Style,
): string {
  const width = Math.max(0, ...fields.map(([label]) => widthOf(label)));
  const indent = " ".repeat(width + 4);
  const room = Math.max(LEAST_VALUE_WIDTH, style.columns - indent.length);
  return fields
    .map(([label, value]) => [padTo(label, width), wrap(value, room, indent)] as const)
    .map(([label, value]) => `  ${style.paint("dim", label)}${GAP}${value}`)
    .join("\n");
}

function formatWithBelow(
  columns: readonly Column[],
  rows: readonly Row[],
  { below, style }: { readonly below: number; readonly style: Style },
): string {
  const isBeside = (_: unknown, index: number): boolean => index !== below;
  const beside = rows.map((row) => row.filter(isBeside));
  const lines = formatTable(columns.filter(isBeside), beside, style).split("\n");
  // Blocks, where even those do not fit, have more lines than a header and one for each row.
  if (lines.length !== rows.length + 1) return formatBlocks(columns, rows, style);
  return lines
    .flatMap((line, index) => [
      line,
      ...(index === 0 ? [] : [`  ${rows[index - 1]?.[below] ?? ""}`]),
    ])
    .join("\n");
}

function chooseColumns(columns: readonly Column[], rows: readonly Row[], width: number): number[] {
  const kept = columns.map((_, index) => index);
  const all = widthsOf(
    columns.map(({ title }) => title),
    rows,
  );
  while (lineWidth(kept.map((index) => all[index] ?? 0)) > width) {
    const last = kept.findLastIndex((index) => columns[index]?.isOptional === true);
    if (last === -1) break;
    kept.splice(last, 1);
  }
  return kept;
}

function widthsOf(titles: readonly string[], rows: readonly Row[]): number[] {
  return titles.map((title, index) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index] ?? ""))),
  );
}

function lineWidth(widths: readonly number[]): number {
  return (
    widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1)
  );
}

function joinCells(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => (index === cells.length - 1 ? cell : padTo(cell, widths[index] ?? 0)))
    .join(GAP)
    .trimEnd();
}

function formatBlocks(columns: readonly Column[], rows: readonly Row[], style: Style): string {
  const [, ...others] = columns;
  return rows
    .map(([head = "", ...cells]) => {
      const fields = others.map(
        ({ title }, index) => [title.toLowerCase(), cells[index] ?? ""] as const,
      );
      return [
        head,
        formatFields(
          fields.filter(([, cell]) => cell !== ""),
          style,
        ),
      ].join("\n");
    })
    .join("\n");
}
