import { formatBytes } from "../../base/bytes.ts";
import type { DatabaseSize } from "../../protocol/schemas.ts";
import type { Style } from "../terminal/style.ts";
import { formatFields, formatTable } from "./table.ts";

type Table = DatabaseSize["tables"][number];

/** Its tables, the largest first, and the whole below them. */
export function formatDatabaseSize(size: DatabaseSize, style: Style): string {
  const { database, bytes, ownBytes, tables } = size;
  const own = ownBytes === null ? "not known here" : `${formatBytes(ownBytes)} of its own`;
  const fields = [
    ["database", `${database}, ${formatBytes(bytes)}`],
    ["on disk", own],
  ] as const;
  const total = formatFields(fields, style);
  return tables.length === 0 ? total : `${formatTables(tables, style)}\n${total}`;
}

function formatTables(tables: readonly Table[], style: Style): string {
  const rows = tables.map(({ name, bytes, ...counted }) => [
    name.replace(/^public\./, ""),
    formatRows(counted),
    formatBytes(bytes),
  ]);
  return formatTable([{ title: "TABLE" }, { title: "ROWS" }, { title: "SIZE" }], rows, style);
}

function formatRows({ rows, isEstimate }: Pick<Table, "rows" | "isEstimate">): string {
  if (rows === null) return "?";
  return `${isEstimate ? "~" : ""}${rows.toLocaleString("en-US")}`;
}
