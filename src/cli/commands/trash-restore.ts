import { defineCommand } from "../session/command.ts";
import { findWorkspaceFolder } from "../session/workspace-folder.ts";
import { tameText } from "../terminal/style.ts";
import { formatRestore } from "../text/transfer-text.ts";

const MAX_SHOWN = 20;

export const trashRestore = defineCommand({
  name: "trash restore",
  summary: "Put back what a transfer of files overwrote or removed",
  description:
    "Each file goes back to the side where it was. What stands there now is kept in turn, and the copy in the trash stays.",
  scope: "environment",
  positionals: [
    { name: "ID", kind: "required", summary: "The time, as `ramet trash list` shows it" },
    { name: "PATH", kind: "rest", summary: "Only these files, and what lies in these folders" },
  ],
  examples: [
    { line: "ramet trash restore 2026-05-04T09-30-00.000Z", why: "All of that time" },
    { line: "ramet trash restore 2026-05-04T09-30-00.000Z src/app.ts", why: "One file of it" },
  ],
  async run(input, session) {
    const target = await session.target();
    const workspace = await findWorkspaceFolder(session, target.app);
    const wanted = { ...target, workspace, id: input.required("ID"), paths: [...input.rest] };
    return session.isAfar
      ? (await import("../session/far-files.ts")).restoreTrashAfar(session, wanted)
      : session.call("files.restore", wanted);
  },
  hints: ({ restored }) =>
    restored.length === 0 ? [] : [{ line: "ramet status", why: "What differs now" }],
  toText({ restored, displaced }, style) {
    if (restored.length === 0) return "Those files are as they were already.";
    const lines = restored
      .slice(0, MAX_SHOWN)
      .map(({ side, path }) => `  ${tameText(path, false)} in the ${side}`);
    const more = restored.length - MAX_SHOWN;
    const count = `${restored.length} file${restored.length === 1 ? "" : "s"}`;
    return [
      `${style.paint("green", "✓")} ${count} put back`,
      ...lines,
      ...(more > 0 ? [`  … and ${more} more`] : []),
      ...displaced.map((folder) =>
        style.paint("dim", `  What stood there is kept: ${formatRestore(folder)}`),
      ),
    ].join("\n");
  },
});
