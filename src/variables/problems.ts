import { Problem, quote } from "../base/problem.ts";

export function variableNameInvalid(name: string): Problem {
  return new Problem({
    code: "variable_name_invalid",
    message: `${quote(name)} cannot name a variable.`,
    remedy: "Use letters, digits and underscores, not a digit first, at most 256 characters.",
  });
}

export function variableReserved(name: string): Problem {
  return new Problem({
    code: "variable_reserved",
    message: `The variable ${name} is set by Ramet itself, for each environment anew.`,
    remedy: "Choose another name, or leave it out.",
  });
}

export function variableValueInvalid(name: string, reason: string): Problem {
  return new Problem({
    code: "variable_value_invalid",
    message: `The value of ${name} cannot be given to a process: ${reason}.`,
    remedy: "Put what is larger or binary into a file, and the file's path into the variable.",
  });
}

export function variablesTooLarge(mostBytes: number): Problem {
  return new Problem({
    code: "variables_too_large",
    message: `The environment's variables together would take more than ${mostBytes / 1024} KiB.`,
    remedy: "Put large values into files, or delete variables with `ramet var delete`.",
  });
}

export function variableMissingInSource(names: readonly string[]): Problem {
  return new Problem({
    code: "variable_missing_in_source",
    message: `The source does not have ${names.join(", ")}; nothing was imported.`,
    remedy: "Leave out these names, or set them with `ramet var set`.",
  });
}

export function variablesUnreadable(file: string, reason: string): Problem {
  return new Problem({
    code: "variables_unreadable",
    message: `The variables in ${file} cannot be read: ${reason}.`,
    remedy: "Mend the file, or move it away and set the variables again with `ramet var set`.",
  });
}

export function secretUnreadable(name: string): Problem {
  return new Problem({
    code: "secret_unreadable",
    message: `The secret ${name} cannot be opened: it was changed, moved from elsewhere, or sealed with another key.`,
    remedy: `Set it again with \`ramet var set ${name} --secret\`.`,
  });
}

export function secretKeyUnreadable(file: string): Problem {
  return new Problem({
    code: "secret_key_unreadable",
    message: `The key of the secrets, ${file}, is damaged.`,
    remedy: "Restore it from a backup, or move it away and set every secret again.",
  });
}
