import { Problem } from "../base/problem.ts";
import type { ProblemFields } from "../base/problem.ts";

/** Something was asked that this program does not understand. */
export function commandUnknown(words: string, nearest: string | undefined): Problem {
  return problem(
    "command_unknown",
    `There is no command ${quote(words)}.`,
    nearest === undefined
      ? "List the commands with `ramet help`."
      : `Did you mean \`ramet ${nearest}\`?`,
  );
}

export function flagUnknown(flag: string, command: string, nearest: string | undefined): Problem {
  return problem(
    "flag_unknown",
    `\`ramet ${command}\` has no flag ${quote(flag)}.`,
    nearest === undefined
      ? `List its flags with \`ramet ${command} --help\`.`
      : `Did you mean ${nearest}?`,
  );
}

export function flagValueMissing(flag: string, placeholder: string): Problem {
  return problem(
    "flag_value_missing",
    `${flag} needs a value.`,
    `Write it as \`${flag} ${placeholder}\`.`,
  );
}

export function flagValueUnexpected(flag: string): Problem {
  return problem(
    "flag_value_unexpected",
    `${flag} takes no value.`,
    `Write it as \`${flag}\` alone.`,
  );
}

export function flagRepeated(flag: string): Problem {
  return problem("flag_repeated", `${flag} was given twice.`, "Give it once.");
}

export function flagInvalid(flag: string, value: string, allowed: string): Problem {
  return problem("flag_invalid", `${flag} cannot be ${quote(value)}.`, `Use ${allowed}.`);
}

export function argumentInvalid(what: string, value: string, allowed: string): Problem {
  return problem("argument_invalid", `${what} cannot be ${quote(value)}.`, `Use ${allowed}.`);
}

export function flagsExclusive(one: string, other: string): Problem {
  return problem(
    "flags_exclusive",
    `${one} and ${other} cannot be used together.`,
    `Choose one of them.`,
  );
}

export function argumentMissing(name: string, command: string, usage: string): Problem {
  return problem("argument_missing", `\`ramet ${command}\` needs ${name}.`, `Usage: \`${usage}\`.`);
}

export function argumentUnexpected(argument: string, command: string, usage: string): Problem {
  return problem(
    "argument_unexpected",
    `\`ramet ${command}\` does not know what to do with ${quote(argument)}.`,
    `Usage: \`${usage}\`.`,
  );
}

export function namesRepeated(name: string): Problem {
  return new Problem({
    code: "names_repeated",
    message: `${name} is named twice.`,
    remedy: "Give each environment a name of its own.",
  });
}

export function appUnclear(apps: readonly string[]): Problem {
  if (apps.length === 0) {
    return problem(
      "app_unclear",
      "There is no app yet.",
      "Make one with `ramet init` in the app's folder.",
    );
  }
  return problem(
    "app_unclear",
    "This folder does not say which app is meant.",
    `Name it with --app; there is ${apps.join(", ")}.`,
  );
}

export function environmentUnbound(): Problem {
  return problem(
    "environment_unbound",
    "This workspace is not bound to an environment.",
    "Bind it with `ramet env use NAME`, or name the environment with --env.",
  );
}

export function bindingStale(environment: string): Problem {
  return problem(
    "binding_stale",
    `This workspace is bound to ${environment}, which does not exist any more.`,
    "Bind it to another with `ramet env use NAME`, or make one with `ramet env create NAME --use`.",
  );
}

export function bindingElsewhere(environment: string, home: string): Problem {
  const isAfar = home.startsWith("https://") || home.startsWith("http://");
  const way = isAfar ? `Log in there with \`ramet login ${home}\`` : `Set RAMET_HOME=${home}`;
  return problem(
    "binding_elsewhere",
    `This workspace is bound to ${environment} of the server ${isAfar ? "at" : "in"} ${home}, which is another.`,
    `${way}, or bind the workspace to an environment of this one with \`ramet env use NAME\`.`,
  );
}

export function environmentOfOtherFolder(environment: string, folder: string): Problem {
  return problem(
    "environment_of_other_folder",
    `${environment} runs on the folder ${folder}, so no other workspace can be bound to it.`,
    `Work in ${folder}, or fork it with \`ramet env create NAME --use\`.`,
  );
}

export function appFolderMissing(app: string, inner: string, root: string): Problem {
  return problem(
    "app_folder_missing",
    `${app} is the folder ${inner} of its repository, and ${root} has none.`,
    "Check out a commit that has that folder, or leave out --use.",
  );
}

export function workspaceBound(environment: string, root: string): Problem {
  return problem(
    "workspace_bound",
    `${root} is bound to ${environment}, and a workspace is one environment's.`,
    "Run both by one ramet.json in the repository's root, or make the other app in a worktree or clone of its own.",
  );
}

export function confirmationNeeded(loss: string): Problem {
  return problem(
    "confirmation_needed",
    `${loss} Nobody can be asked here.`,
    "Say that you mean it with --force.",
  );
}

export function declined(): Problem {
  return problem("declined", "Nothing was changed.", "Answer with y to go on.");
}

export function serverAbsent(): Problem {
  return problem(
    "server_not_running",
    "The server is not running.",
    "Start it with `ramet server start`.",
  );
}

export function serverFailed(reason: string, lastLines: readonly string[]): Problem {
  return problem(
    "server_failed",
    [`The server could not be started: ${reason}.`, ...lastLines.map((line) => `  ${line}`)].join(
      "\n",
    ),
    "See `ramet server logs`, or run it in front of you with `ramet serve`.",
  );
}

export function serverStuck(): Problem {
  return problem(
    "server_stuck",
    "The server was told to end and is still there.",
    "See `ramet server logs`, then try again.",
  );
}

export function serverSilent(seconds: number): Problem {
  return problem(
    "server_silent",
    `The server has said nothing for ${seconds} seconds.`,
    "See `ramet server logs`, or start it anew with `ramet server restart`.",
  );
}

export function serverForbidden(socket: string): Problem {
  return problem(
    "server_forbidden",
    `The server behind ${socket} belongs to another user.`,
    "Run the command as that user, or set RAMET_HOME to a folder of your own.",
  );
}

export function connectionLost(): Problem {
  return problem(
    "connection_lost",
    "The connection to the server was lost before it had answered.",
    "See what became of it with `ramet env list`, and of the server with `ramet server logs`.",
  );
}

export function answerUnreadable(reason: string): Problem {
  return problem(
    "answer_unreadable",
    `The server's answer makes no sense: ${reason}.`,
    "Start a server of this version with `ramet server restart`.",
  );
}

export function protocolMismatch(server: number, ours: number): Problem {
  const isServerNewer = server > ours;
  return problem(
    "protocol_mismatch",
    `The server speaks version ${server} of the protocol, this command version ${ours}.`,
    isServerNewer
      ? "Upgrade this command: `npm install ramet@latest`."
      : "Upgrade the server: `ramet server restart` starts this version; environments go on.",
  );
}

export function variableSecret(name: string): Problem {
  return problem(
    "variable_secret",
    `${name} is a secret, which is used and never read back.`,
    "Set it anew with `ramet var set NAME --secret`, or use it with `ramet run -- COMMAND`.",
  );
}

export function variableValueMissing(argument: string): Problem {
  return problem(
    "variable_value_missing",
    `${quote(argument)} has no value.`,
    "Write NAME=VALUE, or let `ramet var set NAME --secret` read it from standard input.",
  );
}

export function inputTooLong(most: number): Problem {
  return problem("input_too_long", `More than ${most} bytes were given.`, "Give less.");
}

export function fileUnreadable(file: string, reason: string): Problem {
  return problem(
    "file_unreadable",
    `${quote(file)} cannot be read: ${reason}.`,
    "Name a file that can be read.",
  );
}

export function fileUnwritable(file: string): Problem {
  return problem(
    "file_unwritable",
    `${quote(file)} cannot be written: its folder may not be changed.`,
    "Make the folder writable, or copy the app to one that is.",
  );
}

export function answerUnknown(choices: readonly string[]): Problem {
  return problem(
    "answer_unknown",
    `That is none of ${choices.join(", ")}. Nothing was changed.`,
    "Run it again, and answer with a number or a name.",
  );
}

export function choiceMissing(what: string, remedy: string): Problem {
  return problem("choice_missing", what, remedy);
}

export function addressMissing(environment: string, what: "URL" | "database"): Problem {
  return problem(
    "address_missing",
    `${environment} has no ${what} now.`,
    `See why with \`ramet env show\`, or start it with \`ramet env start\`.`,
  );
}

export function psqlMissing(): Problem {
  return problem(
    "tool_missing",
    "psql, PostgreSQL's own client, is not on the PATH.",
    "Install it (package postgresql-client, or libpq), or use `ramet db query SQL`.",
  );
}

/** What whoever reads the output is told of a mistake of ours. */
export function describeBug(message: string): ProblemFields {
  return {
    code: "bug",
    message: `This is a mistake in Ramet: ${message}`,
    remedy: "Please report it, with the last lines of `ramet server logs`.",
  };
}

function problem(code: string, message: string, remedy: string): Problem {
  return new Problem({ code, message, remedy });
}

/** Control characters in what was typed must not reach the terminal. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

/** No store of this machine could be changed; each says why. */
export function trustNowhere(
  stores: readonly { readonly store: string; readonly why: string | null }[],
): Problem {
  const reasons = stores.map(({ store, why }) => `  ${store}: ${why ?? "it was refused"}`);
  return problem(
    "trust_unchanged",
    `Nothing on this machine could be changed:\n${reasons.join("\n")}`,
    "Do what one of these lines says, then `ramet trust` again.",
  );
}
