import { Problem, quote } from "../../base/problem.ts";
import type { ProblemFields } from "../../base/problem.ts";

export function confirmationNeeded(loss: string): Problem {
  return new Problem({
    code: "confirmation_needed",
    message: `${loss} Nobody can be asked here.`,
    remedy: "Say that you mean it with --force.",
  });
}

export function declined(): Problem {
  return new Problem({
    code: "declined",
    message: "Nothing was changed.",
    remedy: "Answer with y to go on.",
  });
}

export function answerUnknown(choices: readonly string[]): Problem {
  return new Problem({
    code: "answer_unknown",
    message: `That is none of ${choices.join(", ")}. Nothing was changed.`,
    remedy: "Run it again, and answer with a number or a name.",
  });
}

export function inputTooLong(most: number): Problem {
  return new Problem({
    code: "input_too_long",
    message: `More than ${most} bytes were given.`,
    remedy: "Give less.",
  });
}

export function fileUnreadable(file: string, reason: string): Problem {
  return new Problem({
    code: "file_unreadable",
    message: `${quote(file)} cannot be read: ${reason}.`,
    remedy: "Name a file that can be read.",
  });
}

export function fileUnwritable(file: string): Problem {
  return new Problem({
    code: "file_unwritable",
    message: `${quote(file)} cannot be written: its folder may not be changed.`,
    remedy: "Make the folder writable, or copy the app to one that is.",
  });
}

/** What whoever reads the output is told of a mistake of ours. */
export function describeBug(message: string): ProblemFields {
  return {
    code: "bug",
    message: `This is a mistake in Ramet: ${message}`,
    remedy: "Please report it, with the last lines of `ramet server logs`.",
  };
}
