import type { VariableView } from "../../protocol/schemas.ts";
import { tameText } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { formatTable } from "./table.ts";

export function formatVariables(variables: readonly VariableView[], style: Style): string {
  const rows = variables.map((variable) => [variable.name, formatValue(variable, style)]);
  return formatTable([{ title: "NAME" }, { title: "VALUE" }], rows, style);
}

/** `2 variables`. */
export function countVariables(count: number): string {
  return `${count} variable${count === 1 ? "" : "s"}`;
}

function formatValue({ secret, value }: VariableView, style: Style): string {
  if (secret) return style.paint("dim", "(secret)");
  return value === null
    ? style.paint("yellow", "(not set)")
    : tameText(value.replaceAll("\n", "⏎"), false);
}
