import { forEachParallel } from "../../base/for-each-parallel.ts";
import { Problem } from "../../base/problem.ts";
import type { ProblemFields } from "../../base/problem.ts";
import { parseEnvironmentName } from "../../environment/name.ts";
import type { EnvironmentName } from "../../environment/name.ts";
import type { CreatedEnvironment } from "../../protocol/schemas.ts";
import { value } from "../grammar/command-shape.ts";
import { DATA_OPTION, parseData } from "../grammar/fork-options.ts";
import { argumentMissing, namesRepeated } from "../grammar/problems.ts";
import { defineCommand } from "../session/command.ts";
import { formatMs } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import { exitCodeOf, formatReady } from "../text/environment-text.ts";
import { formatProblem } from "../text/failure.ts";
import { formatFork, formatRemedies } from "../text/fork-text.ts";

/** One of several: made, or why not. */
type Outcome =
  | { readonly made: CreatedEnvironment }
  | { readonly name: EnvironmentName; readonly problem: ProblemFields };

/** As many at a time as one source is copied for. */
const AT_ONCE = 8;

export const envFork = defineCommand({
  name: "env fork",
  summary: "Fork an environment several times at once",
  description:
    "Each is made as by `ramet env create`, with files that the server keeps. One that cannot be made keeps none of " +
    "the others from it; the exit code then is 2.",
  scope: "app",
  positionals: [{ name: "NAME", kind: "rest", summary: "What to call them" }],
  options: {
    from: value(
      "ENV",
      "What to fork; otherwise this workspace's environment, its main worktree's, or development",
    ),
    data: DATA_OPTION,
  },
  examples: [
    { line: "ramet env fork a b c", why: "Three, side by side" },
    { line: "ramet env fork try-1 try-2 --from staging --json", why: "An array, for a program" },
  ],
  async run(input, session) {
    const names = input.rest.map(parseEnvironmentName);
    if (names.length === 0) throw argumentMissing("NAME", "env fork", "ramet env fork NAME...");
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    if (repeated !== undefined) throw namesRepeated(repeated);
    const chosen = input.value("from");
    const app = await session.app();
    const request = {
      app,
      from:
        chosen === null ? [...(await session.defaultSources(app))] : [parseEnvironmentName(chosen)],
      files: { kind: "kept" } as const,
      data: parseData(input.value("data")),
      searchPath: session.context.environment["PATH"] ?? "",
    };
    const outcomes = new Map<EnvironmentName, Outcome>();
    await forEachParallel(names, AT_ONCE, async (name) => {
      outcomes.set(
        name,
        await outcomeOf(
          name,
          session.call(
            "environment.create",
            { ...request, name },
            { onProgress: session.progressOf(name) },
          ),
        ),
      );
    });
    return names.flatMap((name) => outcomes.get(name) ?? []);
  },
  toText: (outcomes, style) =>
    [
      ...outcomes.map((outcome) => formatOutcome(outcome, style)),
      ...formatRemedies(
        outcomes.map((outcome) => ("made" in outcome ? outcome.made.databaseFork : null)),
        style,
      ),
    ].join("\n"),
  toJson: (outcomes) => outcomes.map((outcome) => ("made" in outcome ? outcome.made : outcome)),
  exitCode: (outcomes) =>
    Math.max(...outcomes.map((outcome) => ("made" in outcome ? exitCodeOf(outcome.made) : 2))),
});

async function outcomeOf(
  name: EnvironmentName,
  making: Promise<CreatedEnvironment>,
): Promise<Outcome> {
  try {
    return { made: await making };
  } catch (error) {
    if (error instanceof Problem) return { name, problem: error.toFields() };
    throw error;
  }
}

function formatOutcome(outcome: Outcome, style: Style): string {
  if ("made" in outcome) {
    const { made } = outcome;
    const what = `is ready after ${formatMs(made.timings.total)}`;
    return formatReady(made, { what, style, how: formatFork(made.databaseFork, style) });
  }
  const message = `${outcome.name}: ${outcome.problem.message}`;
  return formatProblem({ ...outcome.problem, message }, style);
}
