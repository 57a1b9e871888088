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
  toText({ app, environment, files, local, remote, conflicts, absent, unread }, style) {
    const title = style.paint("bold", `${app}/${environment}`);
    if (files.kind === "linked") return `${title} runs on ${files.path}: there is nothing to move.`;
    const sections = [
      ...formatPaths(
        "Changed here, for `ramet push`:",
        marking(local, { gone: absent.local, made: absent.remote }),
        style,
      ),
      ...formatPaths(
        "Changed in the environment, for `ramet pull`:",
        marking(remote, { gone: absent.remote, made: absent.local }),
        style,
      ),
      ...formatPaths(
        "Changed on both sides, to settle with --force:",
        conflicts.map((name) => markConflict(name, absent)),
        style,
      ),
      ...formatPaths(
        "Could not be read, and were not compared:",
        unread.map((name) => `  ${name}`),
        style,
      ),
    ];
    if (sections.length === 0) return `${title} has the same files as this workspace.`;
    return [title, ...sections].join("\n");
  },
});

/** As who knows git's words, or ggt's, reads them. */
const MARKS = { made: "+", changed: "~", gone: "-" } as const;

type Ways = { readonly gone: readonly string[]; readonly made: readonly string[] };

function marking(paths: readonly string[], { gone, made }: Ways): readonly string[] {
  const [removed, added] = [new Set(gone), new Set(made)];
  return paths.map((name) => {
    if (removed.has(name)) return `${MARKS.gone} ${name}`;
    return `${added.has(name) ? MARKS.made : MARKS.changed} ${name}`;
  });
}

type Absent = { readonly local: readonly string[]; readonly remote: readonly string[] };

function markConflict(name: string, { local, remote }: Absent): string {
  if (local.includes(name)) return `${MARKS.gone} ${name} (removed here)`;
  if (remote.includes(name)) return `${MARKS.gone} ${name} (removed there)`;
  return `${MARKS.changed} ${name}`;
}

function formatPaths(title: string, paths: readonly string[], style: Style): string[] {
  if (paths.length === 0) return [];
  const more = paths.length > MAX_SHOWN ? [`  … and ${paths.length - MAX_SHOWN} more`] : [];
  return [
    style.paint("dim", title),
    ...paths.slice(0, MAX_SHOWN).map((name) => `  ${tameText(name, false)}`),
    ...more,
  ];
}
