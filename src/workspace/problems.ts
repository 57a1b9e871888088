import { Problem } from "../base/problem.ts";

export function folderMissing(folder: string): Problem {
  return new Problem({
    code: "folder_missing",
    message: `There is no folder ${JSON.stringify(folder)}.`,
    remedy: "Name a folder that exists.",
  });
}

export function bindingInvalid(file: string, reason: string): Problem {
  return new Problem({
    code: "binding_invalid",
    message: `${file} cannot say which environment this workspace is bound to: ${reason}.`,
    remedy: "Remove it, and bind the workspace again with `ramet env use NAME`.",
  });
}
