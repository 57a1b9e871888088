import { defineCommand } from "../session/command.ts";
import { readAll } from "../terminal/prompts.ts";
import { tameText } from "../terminal/style.ts";
import { formatTable } from "../text/table.ts";

export const dbQuery = defineCommand({
  name: "db query",
  summary: "Run SQL in the environment's database",
  scope: "environment",
  positionals: [
    { name: "SQL", kind: "required", summary: "The statements; - reads them from standard input" },
  ],
  examples: [
    { line: 'ramet db query "select count(*) from orders"', why: "One value" },
    { line: "ramet db query - < fix.sql", why: "From a file" },
  ],
  async run(input, session) {
    const words = input.required("SQL");
    const sql = words === "-" ? await readAll(session.context.stdin.open()) : words;
    return session.call("database.query", { ...(await session.target()), sql });
  },
  toText({ columns, rows, count }, style) {
    const total = count === null ? "Done." : `${count} row${count === 1 ? "" : "s"}`;
    if (columns.length === 0) return total;
    const cells = rows.map((row) =>
      row.map((cell) =>
        cell === null ? style.paint("dim", "null") : tameText(cell.replaceAll("\n", "⏎"), false),
      ),
    );
    const titles = columns.map((title) => ({ title: tameText(title, false) }));
    return `${formatTable(titles, cells, style)}\n${style.paint("dim", total)}`;
  },
});
