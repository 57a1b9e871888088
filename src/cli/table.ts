import { padTo, widthOf } from "./style.ts";
import type { Style } from "./style.ts";

export type Column = {
  readonly title: string;
  /** Left out first where the terminal is narrow; the last such column goes before the others. */
  readonly isOptional?: boolean;
};

/** One row's cells, in the order of the columns; they may be coloured. */
export type Row = readonly string[];

const GAP = "  ";

/** Aligned columns; where they do not fit, one block of lines for each row. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly Row[],
  style: Style,
): string {
  const kept = chooseColumns(columns, rows, style.columns);
  const shown = kept.map((index) => columns[index]?.title ?? "");
  const cells = rows.map((row) => kept.map((index) => row[index] ?? ""));
  const widths = widthsOf(shown, cells);
  if (lineWidth(widths) > style.columns) return formatBlocks(columns, rows, style);
  const header = style.paint("dim", joinCells(shown, widths));
  return [header, ...cells.map((row) => joinCells(row, widths))].join("\n");
}

/** `label  value` lines, the values aligned. */
export function formatFields(
  fields: readonly (readonly [label: string, value: string])[],
  style: Style,
): string {
  const width = Math.max(0, ...fields.map(([label]) => widthOf(label)));
  return fields
    .map(([label, value]) => `  ${style.paint("dim", padTo(label, width))}${GAP}${value}`)
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
