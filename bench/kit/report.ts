import { cpus, release, totalmem } from "node:os";

import { readVersion } from "../../src/cli/session/version.ts";

/** What a section measured. */
export type Report = {
  /** The first names the columns. */
  readonly rows: readonly (readonly string[])[];
  readonly goals: readonly Goal[];
  /** Sentences and lists below the table: where the time went, what was left out and why. */
  readonly remarks: readonly string[];
};

/** A promised number beside the one that was measured. */
export type Goal = {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: "×" | "ms" | "MB" | "clients" | "copies" | "processes" | "statements";
  /** Whether less is better, as it is for a time. */
  readonly sense: "at most" | "at least";
};

/** Several reports of the same columns as one. */
export function joinReports(reports: readonly Report[]): Report {
  const header = reports.find(({ rows }) => rows.length > 0)?.rows[0];
  const rows = reports.flatMap((one) => one.rows.slice(1));
  return {
    rows: header === undefined ? [] : [header, ...rows],
    goals: reports.flatMap(({ goals }) => goals),
    remarks: [...new Set(reports.flatMap(({ remarks }) => remarks))],
  };
}

/** Markdown: where and when, the table, each goal with its verdict, what was left out. */
export async function formatReport(
  { rows, goals, remarks }: Report,
  conditions: readonly string[],
): Promise<string> {
  const [header = [], ...body] = rows;
  const table = header.length === 0 ? [] : [header, header.map(() => "---"), ...body];
  const lines = table.map((cells) => `| ${cells.join(" | ")} |`);
  const paragraphs = [
    await describeMachine(conditions),
    lines.join("\n"),
    goals.map(formatGoal).join("\n"),
    ...remarks,
  ];
  return paragraphs.filter((paragraph) => paragraph !== "").join("\n\n");
}

async function describeMachine(conditions: readonly string[]): Promise<string> {
  const facts = [
    new Date().toISOString().slice(0, 10),
    `Ramet ${await readVersion()}`,
    `Node ${process.versions.node}`,
    `${process.platform} ${release()}`,
    `${cpus().length} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    ...conditions,
  ];
  return `*${facts.join(", ")}.*`;
}

function formatGoal({ what, measured, limit, unit, sense }: Goal): string {
  const isReached = sense === "at most" ? measured <= limit : measured >= limit;
  const digits = unit === "×" ? 2 : 0;
  const numbers = `${measured.toFixed(digits)} ${unit}, promised ${sense} ${limit} ${unit}`;
  return `- ${isReached ? "reached" : "**not reached**"}: ${what}: ${numbers}`;
}
