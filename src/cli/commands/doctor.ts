import type { DoctorReport, Leftover } from "../../protocol/schemas.ts";
import { flag } from "../grammar/command-shape.ts";
import { defineCommand } from "../session/command.ts";
import type { Style } from "../terminal/style.ts";
import { formatFields, formatTable } from "../text/table.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary: "Find what was left over, and what this machine can give",
  description: "Processes, ports, folders, sockets and bindings that no environment owns.",
  options: { fix: flag("Clear what was left over") },
  examples: [
    { line: "ramet doctor", why: "Look, and change nothing" },
    { line: "ramet doctor --fix", why: "Clear what was left over" },
  ],
  run: (input, session) => session.call("doctor", { fix: input.has("fix") }),
  toText: ({ capabilities, leftovers, fixed }, style) =>
    [
      style.paint("bold", "This machine"),
      formatCapabilities(capabilities, style),
      "",
      style.paint("bold", "Leftovers"),
      ...(fixed.length === 0
        ? []
        : [`${style.paint("green", "✓")} cleared`, formatLeftovers(fixed, style)]),
      leftovers.length === 0
        ? `${style.paint("green", "✓")} none`
        : formatLeftovers(leftovers, style),
      ...(leftovers.length === 0
        ? []
        : [`${style.paint("cyan", "→")} Clear them with \`ramet doctor --fix\`.`]),
    ].join("\n"),
});

/** What `--json` names otherwise than a person would. */
const LABELS: Readonly<Record<string, string>> = {
  root: "runs as root",
  reflink: "reflinks",
  profile: "AppArmor profile",
  freeGigabytes: "free space",
};

function formatCapabilities(capabilities: DoctorReport["capabilities"], style: Style): string {
  return formatFields(
    Object.entries(capabilities).map(
      ([name, given]) => [LABELS[name] ?? name, formatCapability(name, given, style)] as const,
    ),
    style,
  );
}

function formatCapability(name: string, given: boolean | string | number, style: Style): string {
  if (name === "freeGigabytes") return `${given} GB`;
  if (given === true) return style.paint("green", "yes");
  return given === false ? style.paint("yellow", "no") : String(given);
}

function formatLeftovers(leftovers: readonly Leftover[], style: Style): string {
  const columns = [
    { title: "KIND" },
    { title: "ENVIRONMENT" },
    { title: "PID" },
    { title: "PATH" },
  ];
  const rows = leftovers.map(({ kind, id, pid, path }) => [
    kind,
    id,
    pid === null ? "–" : String(pid),
    path ?? "–",
  ]);
  return formatTable(columns, rows, style);
}
