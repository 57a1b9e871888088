import { Problem } from "../../base/problem.ts";

export function filesLinkedAfar(name: string): Problem {
  return new Problem({
    code: "files_linked_afar",
    message: `${name} runs on a folder of the server's own machine, which this command cannot reach from here.`,
    remedy:
      "Fork it with `ramet env create NAME --use`: the server keeps a fork's files, and exchanges them with yours.",
  });
}

/** The program that was to work on an environment's files did not begin. @param why what it printed */
export function filesUntended(why: string): Problem {
  const said = why === "" ? "" : `: ${why.slice(0, 400)}`;
  return new Problem({
    code: "files_untended",
    message: `The program that works on the environment's files could not be started${said}.`,
    remedy: "See what `ramet doctor` says of this machine's isolation, and run the command again.",
  });
}

/** The server was started anew, or many others came since. */
export function visitUnknown(): Problem {
  return new Problem({
    code: "visit_unknown",
    message: "The server knows nothing of this transfer any more, as after a restart.",
    remedy: "Run the command again: what was brought so far is there.",
  });
}
