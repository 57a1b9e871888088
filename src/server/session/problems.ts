import { Problem } from "../../base/problem.ts";

export function inputInvalid(why: string): Problem {
  return new Problem({
    code: "input_invalid",
    message: `The call's input is not what it must be: ${why.slice(0, 500)}`,
    remedy: "Compare it with the command's --help.",
  });
}

export function ownerOnly(call: string): Problem {
  return new Problem({
    code: "owner_only",
    message: `What ${call} does is about the server's own machine, and can be asked for there alone.`,
    remedy: "Run the command on that machine, as the user whose server it is.",
  });
}

export function linkedElsewhere(name: string, folder: string): Problem {
  return new Problem({
    code: "environment_linked_elsewhere",
    message: `${name} runs on ${folder}, not on this folder.`,
    remedy: `Go to ${folder}, or make an environment for this folder with \`ramet env create NAME --use\`.`,
  });
}

export function trashLinked(name: string): Problem {
  return new Problem({
    code: "trash_linked",
    message: `${name} runs on this folder itself: nothing is transferred, and so nothing was displaced.`,
    remedy: "Use git for what was changed here.",
  });
}
