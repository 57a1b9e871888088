import type {
  Explanation,
  Finding,
  Manifest,
  ProcessManifest,
} from "../../environment/manifest.ts";
import { wrap } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { formatFields } from "./table.ts";

/** What an app is made of, short: before a person says yes to it. */
export function formatSummary({ manifest, warnings }: Explanation, style: Style): string {
  const fields = listFields(manifest).filter(([, value]) => value !== "");
  return [formatFields(fields, style), ...formatWarnings(warnings, style)].join("\n");
}

/** All of it: what was found, where, and the file that says it. */
export function formatExplanation(
  explanation: Explanation,
  { file, style }: { readonly file: string | null; readonly style: Style },
): string {
  const { manifest, findings } = explanation;
  const { paint } = style;
  return [
    `${paint("bold", explanation.name)}  ${paint("dim", `from ${manifest.source}`)}`,
    formatSummary(explanation, style),
    ...(findings.length === 0 ? [] : ["", paint("bold", "Why")]),
    ...findings.map((finding) => formatFinding(finding, style)),
    ...(file === null
      ? []
      : ["", paint("bold", "The ramet.json that says the same"), file.trimEnd()]),
  ].join("\n");
}

function listFields({
  setup,
  processes,
  database,
  variables,
}: Manifest): readonly (readonly [label: string, value: string])[] {
  const names = Object.entries(variables).map(([name, { value }]) =>
    value === null ? name : `${name}=${value}`,
  );
  return [
    ...Object.entries(processes).map(
      ([name, process]) => [`process ${name}`, formatProcess(process)] as const,
    ),
    ["setup", setup ?? "–"],
    ["database", database === null ? "none" : "PostgreSQL"],
    ["migrate", database?.migrate ?? ""],
    ["seed", database?.seed ?? ""],
    ["variables", names.join(", ")],
  ];
}

function formatProcess({ command, folder, port, ownPort }: ProcessManifest): string {
  const remarks = [
    ...(folder === "." ? [] : [`in ${folder}`]),
    ...(port ? [] : ["listens nowhere"]),
    ...(ownPort === null ? [] : [`its code names port ${ownPort}`]),
  ];
  return remarks.length === 0 ? command : `${command}  (${remarks.join(", ")})`;
}

function formatFinding({ about, value, file, key }: Finding, style: Style): string {
  const where = key === null ? file : `${file}, ${key}`;
  return wrap(`  ${about}: ${value}  ${style.paint("dim", `← ${where}`)}`, style.columns, "  ");
}

function formatWarnings(warnings: readonly string[], style: Style): readonly string[] {
  return warnings.map(
    (warning) => `  ${style.paint("yellow", "!")} ${wrap(warning, style.columns - 4, "    ")}`,
  );
}
