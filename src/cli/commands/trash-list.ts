import { formatBytes } from "../../base/bytes.ts";
import type { Trash } from "../../protocol/schemas.ts";
import { defineCommand } from "../session/command.ts";
import { findWorkspaceFolder } from "../session/workspace-folder.ts";
import { tameText } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { formatTable } from "../text/table.ts";

const MAX_SHOWN = 50;

export const trashList = defineCommand({
  name: "trash list",
  summary: "List what transfers of files have overwritten or removed, on both sides",
  description:
    "Whatever a push, a pull or `ramet dev` overwrites or removes is kept for 7 days, at most 1 GB of it on each side. " +
    "The workspace's is in its folder `.ramet/trash`.",
  scope: "environment",
  examples: [
    { line: "ramet trash list", why: "The latest first" },
    { line: "ramet trash list --json", why: "For a program, all of it" },
  ],
  async run(_input, session) {
    const target = await session.target();
    const workspace = await findWorkspaceFolder(session, target.app);
    return session.isAfar
      ? (await import("../session/far-files.ts")).listTrashAfar(session, { ...target, workspace })
      : session.call("files.trash", { ...target, workspace });
  },
  hints: (trash) =>
    trash.length === 0
      ? []
      : [{ line: "ramet trash restore ID", why: "Put all of that time back" }],
  toText(trash, style) {
    if (trash.length === 0) return "Nothing was overwritten or removed in the last 7 days.";
    return formatTrash(trash, style);
  },
});

function formatTrash(trash: Trash, style: Style): string {
  const columns = [
    { title: "ID" },
    { title: "SIDE" },
    { title: "PATH", isBelow: true },
    { title: "SIZE", isOptional: true },
  ];
  const rows = trash
    .slice(0, MAX_SHOWN)
    .map(({ id, side, path, bytes }) => [id, side, tameText(path, false), formatBytes(bytes)]);
  const more = trash.length - MAX_SHOWN;
  const rest = more > 0 ? [style.paint("dim", `… and ${more} more: --json has them all`)] : [];
  return [formatTable(columns, rows, style), ...rest].join("\n");
}
