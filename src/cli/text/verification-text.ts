import type { VerificationView } from "../../protocol/schemas.ts";
import type { Paint, Style } from "../terminal/style.ts";
import { formatTable } from "./table.ts";
import { titleOf } from "./title.ts";

type Tried = VerificationView["probes"][number];
type Outcome = Tried["outcome"];

const OUTCOMES: Readonly<Record<Outcome, readonly [symbol: string, paint: Paint]>> = {
  held: ["✓", "green"],
  leaked: ["✗", "red"],
  "not applicable": ["–", "dim"],
};

/** All that was tried, by what it is about, and the sum below. */
export function formatVerification(verification: VerificationView, style: Style): string {
  const columns = [
    { title: "ABOUT" },
    { title: "IT TRIED TO" },
    { title: "OUTCOME" },
    { title: "MET WITH", isOptional: true },
  ];
  const rows = verification.probes.map((tried, index, all) => [
    tried.subject === all[index - 1]?.subject ? "" : style.paint("bold", tried.subject),
    tried.tries,
    formatOutcome(tried.outcome, style),
    tried.detail,
  ]);
  return [
    formatTable(columns, rows, style),
    "",
    ...verification.probes.flatMap((tried) => formatLeak(tried, style)),
    formatSum(verification, style),
  ].join("\n");
}

export function countOutcomes({
  probes,
}: Pick<VerificationView, "probes">): Readonly<Record<Outcome, number>> {
  const count = (wanted: Outcome): number =>
    probes.filter(({ outcome }) => outcome === wanted).length;
  return {
    held: count("held"),
    leaked: count("leaked"),
    "not applicable": count("not applicable"),
  };
}

function formatOutcome(outcome: Outcome, { paint }: Style): string {
  const [symbol, format] = OUTCOMES[outcome];
  return paint(format, `${symbol} ${outcome}`);
}

/** In a narrow terminal, where the table has no room for it, too. */
function formatLeak({ outcome, tries, expected, detail }: Tried, style: Style): readonly string[] {
  if (outcome !== "leaked") return [];
  return [`${style.paint("red", "✗")} It could ${tries}: ${detail} (expected: ${expected}).`];
}

function formatSum(verification: VerificationView, style: Style): string {
  const { app, environment, isolation, probes } = verification;
  const { held, leaked, "not applicable": rest } = countOutcomes(verification);
  const [symbol, format] = leaked === 0 ? OUTCOMES.held : OUTCOMES.leaked;
  const title = style.paint("bold", titleOf({ app, name: environment }));
  const counts = `${probes.length} probes: ${held} held, ${leaked} leaked, ${rest} not applicable`;
  return `${style.paint(format, symbol)} ${title}, ${shorten(isolation)}\n  ${counts}`;
}

/** Without what `env show` tells of it. */
function shorten(isolation: string): string {
  return isolation.replace(/^(isolated \([a-z]+\)):.*$/, "$1");
}
