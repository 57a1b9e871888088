import { formatBytes } from "../../base/bytes.ts";
import { defineCommand } from "../command.ts";
import type { Style } from "../style.ts";
import { formatFields, formatTable } from "../table.ts";

export const dbSize = defineCommand({
  name: "db size",
  summary: "Show what the environment's database takes up, table by table",
  description:
    "The rows of large tables are what PostgreSQL believes, marked with ~. A fork's own bytes are those that it does not " +
    "share with the environment that it was forked from.",
  scope: "environment",
  positionals: [
    { name: "ENV", kind: "optional", summary: "The environment; otherwise this workspace's" },
  ],
  examples: [
    { line: "ramet db size", why: "Of this workspace's" },
    { line: "ramet db size staging --json", why: "Another's, for a program" },
  ],
  async run(input, session) {
    return session.call("database.size", await session.target(input.optional("ENV")));
  },
  toText({ database, bytes, ownBytes, tables }, style) {
    const fields = [
      ["database", `${database}, ${formatBytes(bytes)}`],
      ["on disk", ownBytes === null ? "not known here" : `${formatBytes(ownBytes)} of its own`],
    ] as const;
    const total = formatFields(fields, style);
    return tables.length === 0 ? total : `${formatTables(tables, style)}\n${total}`;
  },
});

type Table = { readonly name: string; rows: number | null; isEstimate: boolean; bytes: number };

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
