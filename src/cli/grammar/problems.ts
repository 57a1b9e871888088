import { Problem, quote } from "../../base/problem.ts";

export function commandUnknown(words: string, nearest: string | undefined): Problem {
  return new Problem({
    code: "command_unknown",
    message: `There is no command ${quote(words)}.`,
    remedy:
      nearest === undefined
        ? "List the commands with `ramet help`."
        : `Did you mean \`ramet ${nearest}\`?`,
  });
}

export function flagUnknown(flag: string, command: string, nearest: string | undefined): Problem {
  return new Problem({
    code: "flag_unknown",
    message: `\`ramet ${command}\` has no flag ${quote(flag)}.`,
    remedy:
      nearest === undefined
        ? `List its flags with \`ramet ${command} --help\`.`
        : `Did you mean ${nearest}?`,
  });
}

export function flagValueMissing(flag: string, placeholder: string): Problem {
  return new Problem({
    code: "flag_value_missing",
    message: `${flag} needs a value.`,
    remedy: `Write it as \`${flag} ${placeholder}\`.`,
  });
}

export function flagValueUnexpected(flag: string): Problem {
  return new Problem({
    code: "flag_value_unexpected",
    message: `${flag} takes no value.`,
    remedy: `Write it as \`${flag}\` alone.`,
  });
}

export function flagRepeated(flag: string): Problem {
  return new Problem({
    code: "flag_repeated",
    message: `${flag} was given twice.`,
    remedy: "Give it once.",
  });
}

export function flagInvalid(flag: string, value: string, allowed: string): Problem {
  return new Problem({
    code: "flag_invalid",
    message: `${flag} cannot be ${quote(value)}.`,
    remedy: `Use ${allowed}.`,
  });
}

export function flagsExclusive(one: string, other: string): Problem {
  return new Problem({
    code: "flags_exclusive",
    message: `${one} and ${other} cannot be used together.`,
    remedy: `Choose one of them.`,
  });
}

export function argumentInvalid(what: string, value: string, allowed: string): Problem {
  return new Problem({
    code: "argument_invalid",
    message: `${what} cannot be ${quote(value)}.`,
    remedy: `Use ${allowed}.`,
  });
}

export function argumentMissing(name: string, command: string, usage: string): Problem {
  return new Problem({
    code: "argument_missing",
    message: `\`ramet ${command}\` needs ${name}.`,
    remedy: `Usage: \`${usage}\`.`,
  });
}

export function argumentUnexpected(argument: string, command: string, usage: string): Problem {
  return new Problem({
    code: "argument_unexpected",
    message: `\`ramet ${command}\` does not know what to do with ${quote(argument)}.`,
    remedy: `Usage: \`${usage}\`.`,
  });
}

export function namesRepeated(name: string): Problem {
  return new Problem({
    code: "names_repeated",
    message: `${name} is named twice.`,
    remedy: "Give each environment a name of its own.",
  });
}

export function choiceMissing(what: string, remedy: string): Problem {
  return new Problem({
    code: "choice_missing",
    message: what,
    remedy,
  });
}

export function variableValueMissing(argument: string): Problem {
  return new Problem({
    code: "variable_value_missing",
    message: `${quote(argument)} has no value.`,
    remedy: "Write NAME=VALUE, or let `ramet var set NAME --secret` read it from standard input.",
  });
}
