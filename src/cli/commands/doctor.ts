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
  async run(input, session) {
    const report = await session.call("doctor", { fix: input.has("fix") });
    const { remote } = session.context;
    const proxy = remote?.proxy?.origin ?? null;
    return { ...report, server: remote === undefined ? null : { url: remote.url, proxy } };
  },
  toText: ({ capabilities, leftovers, fixed, server }, style) =>
    [
      ...(server === null ? [] : [...formatWay(server, style), ""]),
      style.paint("bold", server === null ? "This machine" : "Its machine"),
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

/** How commands come to the server elsewhere that they are for. */
function formatWay(server: { url: string; proxy: string | null }, style: Style): readonly string[] {
  const way = server.proxy === null ? "directly" : `by the proxy ${server.proxy}`;
  return [
    style.paint("bold", "Server"),
    formatFields([["reached", `${server.url}, ${way}`]], style),
  ];
}

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
