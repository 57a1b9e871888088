import path from "node:path";

import { Problem } from "../base/problem.ts";

/** `where`: a file, with line and column where there are some. */
export function manifestInvalid(where: string, reason: string, remedy?: string): Problem {
  return new Problem({
    code: "manifest_invalid",
    message: `${where} is not valid: ${reason}.`,
    remedy: remedy ?? `Correct ${where.replace(/:.*/, "")} and try again.`,
  });
}

export function appHasNoCommand(): Problem {
  return new Problem({
    code: "app_no_command",
    message:
      "package.json has neither a `dev` nor a `start` script, so how to run the app is unknown.",
    remedy:
      'Write a ramet.json such as {"processes": {"web": {"command": "node server.js"}}}, or add a `dev` script.',
  });
}

export function packagesShared(folder: string, above: string): Problem {
  const inner = path.relative(above, folder);
  return new Problem({
    code: "packages_shared",
    message: `${folder} is one of the workspaces of ${above}, which holds its packages: a fork of it alone would lack them.`,
    remedy: `Write a ramet.json in ${above} that runs it from there, such as {"processes": {"web": {"command": "npm run dev", "folder": ${JSON.stringify(inner)}}}}, and run \`ramet init\` there.`,
  });
}
