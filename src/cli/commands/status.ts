import { defineCommand } from "../session/command.ts";
import { compareFiles } from "../session/compare-files.ts";
import { findWorkspaceFolder } from "../session/workspace-folder.ts";
import { tameText } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";

const MAX_SHOWN = 50;

export const status = defineCommand({
  name: "status",
  summary: "Compare this workspace's files with the environment's",
  scope: "environment",
  examples: [
    { line: "ramet status", why: "What a push or a pull would move" },
    { line: "ramet status --json", why: "For a program" },
  ],
  async run(_input, session) {
    const target = await session.target();
    const workspace = await findWorkspaceFolder(session, target.app);
    return compareFiles(session, { ...target, workspace });
  },
  toText({ app, environment, files, local, remote, conflicts }, style) {
    const title = style.paint("bold", `${app}/${environment}`);
    if (files.kind === "linked") return `${title} runs on ${files.path}: there is nothing to move.`;
    const sections = [
      ...formatPaths("Changed here, for `ramet push`:", local, style),
      ...formatPaths("Changed in the environment, for `ramet pull`:", remote, style),
      ...formatPaths("Changed on both sides, to settle with --force:", conflicts, style),
    ];
    if (sections.length === 0) return `${title} has the same files as this workspace.`;
    return [title, ...sections].join("\n");
  },
});

function formatPaths(title: string, paths: readonly string[], style: Style): string[] {
  if (paths.length === 0) return [];
  const more = paths.length > MAX_SHOWN ? [`  … and ${paths.length - MAX_SHOWN} more`] : [];
  return [
    style.paint("dim", title),
    ...paths.slice(0, MAX_SHOWN).map((name) => `  ${tameText(name, false)}`),
    ...more,
  ];
}
