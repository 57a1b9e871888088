import { findNearest } from "../base/nearest.ts";
import { Problem, quote } from "../base/problem.ts";
import type { AppName, EnvironmentName } from "./name.ts";

export function environmentTaken(app: AppName, name: EnvironmentName): Problem {
  return new Problem({
    code: "environment_exists",
    message: `The app ${app} already has an environment ${name}.`,
    remedy: `Choose another name, use it with \`ramet env use ${name}\`, or delete it first.`,
  });
}

export function environmentUnknown(
  app: AppName,
  name: string,
  nearest: string | undefined,
): Problem {
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  return new Problem({
    code: "environment_unknown",
    message: `The app ${app} has no environment ${name}.${hint}`,
    remedy: "See what there is with `ramet env list`.",
  });
}

export function appUnknown(name: string, nearest: string | undefined): Problem {
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  return new Problem({
    code: "app_unknown",
    message: `There is no app ${name}.${hint}`,
    remedy: "See the apps with `ramet app list`, or make one with `ramet init` in its folder.",
  });
}

export function appTaken(name: AppName, folder: string): Problem {
  return new Problem({
    code: "app_exists",
    message: `There is already an app ${name}, made from ${folder}.`,
    remedy: "Choose another name with `ramet init --app NAME`.",
  });
}

export function developmentNeeded(app: AppName, others: readonly string[]): Problem {
  return new Problem({
    code: "environment_needed",
    message: `development is what ${others.length === 1 ? "another environment" : `${others.length} other environments`} of ${app} came from: ${others.slice(0, 5).join(", ")}.`,
    remedy: `Delete the others first, or the whole app with \`ramet app delete ${app} --force\`.`,
  });
}

export function sourceBroken(name: EnvironmentName, why: string): Problem {
  return new Problem({
    code: "source_broken",
    message: `${name} is broken and cannot be forked: ${why}`,
    remedy: `Mend it (\`ramet env show ${name}\`, \`ramet logs --env ${name}\`), then \`ramet env start ${name}\`.`,
  });
}

export function sourceUnfinished(name: EnvironmentName): Problem {
  return new Problem({
    code: "source_unfinished",
    message: `${name} is still being set up; its rows are not all there yet.`,
    remedy: `Wait until \`ramet env show ${name}\` says awake, then try again.`,
  });
}

export function databaseAbsent(name: EnvironmentName): Problem {
  return new Problem({
    code: "database_absent",
    message: `${name} has no database: its ramet.json says "database": false.`,
    remedy: "Reset an environment whose app has one.",
  });
}

/** `parent` null: it was made from nothing. */
export function resetSourceMissing(name: EnvironmentName, parent: EnvironmentName | null): Problem {
  return new Problem({
    code: "reset_source_missing",
    message:
      parent === null
        ? `${name} was forked from no other environment, whose rows it could have.`
        : `${parent}, which ${name} was forked from, is gone.`,
    remedy: `Say whose rows it is to have: \`ramet env reset ${name} --from ENV\`.`,
  });
}

export function resetUnderWay(name: EnvironmentName): Problem {
  return new Problem({
    code: "reset_under_way",
    message: `${name} is being reset or deleted.`,
    remedy: "Wait until that is done, then try again.",
  });
}

export function nothingReplaced(name: EnvironmentName): Problem {
  return new Problem({
    code: "nothing_replaced",
    message: `There is nothing of ${name} to be had back: it was not reset within the last day.`,
    remedy: `See \`ramet env show ${name}\`; what a reset replaces is kept for a day.`,
  });
}

export function preparationInterrupted(name: EnvironmentName): Problem {
  return new Problem({
    code: "preparation_interrupted",
    message: `Setting up ${name} was interrupted before it was done.`,
    remedy: `Do it again with \`ramet env start ${name}\`.`,
  });
}

export function stepFailed(step: {
  name: string;
  command: string;
  how: string;
  lines: readonly string[];
}): Problem {
  const lines =
    step.lines.length === 0 ? "" : `\n${step.lines.map((line) => `  ${line}`).join("\n")}`;
  return new Problem({
    code: `${step.name}_failed`,
    message: `The ${step.name} command \`${step.command}\` ${step.how}.${lines}`,
    remedy: `See \`ramet logs --process ${step.name}\`, mend it, then \`ramet env start\`.`,
  });
}

export function migrationsMissing(missing: {
  readonly tool: string;
  readonly names: readonly string[];
}): Problem {
  const { tool, names } = missing;
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return new Problem({
    code: "migrations_missing",
    message: `Its database has had migrations that its files do not have: ${names.slice(0, 3).join(", ")}${more}. A migration tool (here: ${tool}) may refuse to go on, or offer to empty it.`,
    remedy:
      "Merge the branch that has them into this one, or have this branch's own migrations make the tables: `ramet env create NAME --data none`.",
  });
}

export function variableMissing(names: readonly string[]): Problem {
  const [first = "NAME"] = names;
  return new Problem({
    code: "variable_missing",
    message: `It needs ${names.length === 1 ? "the variable" : "the variables"} ${names.join(", ")}.`,
    remedy: `Set it with \`ramet var set ${first}=...\`, or \`ramet var set ${first} --secret\` for a secret.`,
  });
}

/** `known`: those that there are. */
export function variableUnknown(names: readonly string[], known: readonly string[]): Problem {
  const [first = ""] = names;
  const nearest = findNearest(first, known);
  return new Problem({
    code: "variable_unknown",
    message: `Not set in this environment: ${names.map((name) => quote(name)).join(", ")}.`,
    remedy:
      nearest === undefined
        ? "See which are set with `ramet var list`."
        : `Did you mean ${nearest}? See which are set with \`ramet var list\`.`,
  });
}

/** `known`: those that there are. */
export function processUnknown(name: string, known: readonly string[]): Problem {
  const nearest = findNearest(name, known);
  const choice =
    known.length === 0 ? "This environment has no processes." : `Use one of: ${known.join(", ")}.`;
  return new Problem({
    code: "process_unknown",
    message: `There is no process ${quote(name)}.`,
    remedy: nearest === undefined ? choice : `Did you mean ${nearest}?`,
  });
}

export function filesShared(path: string, others: readonly string[]): Problem {
  return new Problem({
    code: "files_shared",
    message: `It runs on ${path}, and so does ${others.join(", ")}: an edit there reaches both.`,
    remedy: "For files of its own, make it in a git worktree, or with --files kept.",
  });
}

export function noDatabase(name: string): Problem {
  return new Problem({
    code: "database_none",
    message: `${name} has no database.`,
    remedy: 'Its ramet.json says "database": false; take that out and make the environment again.',
  });
}
