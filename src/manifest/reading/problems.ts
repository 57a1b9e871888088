import path from "node:path";

import { Problem } from "../../base/problem.ts";
import type { Question } from "../../environment/manifest.ts";

/** `where`: a file, with line and column where there are some. */
export function manifestInvalid(where: string, reason: string, remedy?: string): Problem {
  return new Problem({
    code: "manifest_invalid",
    message: `${where} is not valid: ${reason}.`,
    remedy: remedy ?? `Correct ${where.replace(/:.*/, "")} and try again.`,
  });
}

/** `where`: the package.json that was read. */
export function appHasNoCommand(where: string): Problem {
  return new Problem({
    code: "app_no_command",
    message: `${where} has no script that starts the app, such as \`dev\` or \`start\`, and beside it stands no server.js or the like: how to run the app is unknown.`,
    remedy:
      'Write a ramet.json such as {"processes": {"web": {"command": "node server.js"}}}, or add a `dev` script.',
  });
}

export function nothingDetected(folder: string): Problem {
  return new Problem({
    code: "nothing_detected",
    message: `${folder} has no ramet.json, and nothing in it or in the folders below says how an app is run: no package.json, manage.py, Procfile, index.html or the like.`,
    remedy:
      'Go to the folder of your app, or write a ramet.json such as {"processes": {"web": {"command": "python app.py"}}}.',
  });
}

export function scriptEnds(where: string, name: string, script: string): Problem {
  return new Problem({
    code: "app_script_ends",
    message: `The script ${JSON.stringify(name)} of ${where} is ${JSON.stringify(script.slice(0, 200))}, which starts nothing that answers requests.`,
    remedy:
      'Add a `dev` script that starts the app, or write a ramet.json such as {"processes": {"web": {"command": "node server.js"}}}.',
  });
}

/** Several answers are as likely: the person chooses, at the prompt or by what the remedy shows. */
export class Ambiguity extends Problem {
  readonly question: Question;

  constructor(question: Question, remedy: string) {
    super({ code: "detection_ambiguous", message: question.text, remedy });
    this.question = question;
  }
}

export function managerAmbiguous(locks: readonly string[], managers: readonly string[]): Problem {
  const question: Question = {
    id: "packageManager",
    text: `${locks.join(" and ")} stand side by side, and package.json has no packageManager: which of ${managers.join(", ")} installs the packages?`,
    choices: managers,
  };
  return new Ambiguity(
    question,
    `Remove the lock file that is out of use, or write a ramet.json such as {"setup": "${managers[0]} install"}.`,
  );
}

export function scriptAmbiguous(where: string, names: readonly string[]): Problem {
  const question: Question = {
    id: "script",
    text: `${where} has several scripts that could start the app: which of ${names.join(", ")} does?`,
    choices: names,
  };
  return new Ambiguity(
    question,
    `Name it \`dev\`, or write a ramet.json such as {"processes": {"web": {"command": "npm run ${names[0]}"}}}.`,
  );
}

export function packagesShared(folder: string, above: string): Problem {
  const inner = path.relative(above, folder);
  return new Problem({
    code: "packages_shared",
    message: `${folder} is one of the workspaces of ${above}, which holds its packages: a fork of it alone would lack them.`,
    remedy: `Run \`ramet init\` in ${above}, which finds its apps; to run this one alone, write a ramet.json there first, such as {"processes": {"web": {"command": "npm run dev", "folder": ${JSON.stringify(inner)}}}}.`,
  });
}
