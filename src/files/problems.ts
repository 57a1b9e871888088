import { Problem } from "../base/problem.ts";

export function copyFailed(target: string, reason: string): Problem {
  return new Problem({
    code: "copy_failed",
    message: `Files could not be copied to ${target}: ${reason}.`,
    remedy: "See whether the files can be read and the folder be written by Ramet's user.",
  });
}

export function pathOutside(name: string): Problem {
  return new Problem({
    code: "path_outside",
    message: `${JSON.stringify(name.slice(0, 200))} does not name something inside the app's folder.`,
    remedy: "Name it in `files.clone` relative to the app's folder, without `..`.",
  });
}

export function gitFailed(folder: string, reason: string): Problem {
  return new Problem({
    code: "git_failed",
    message: `git could not list the files of ${folder}: ${reason}.`,
    remedy: "Run `git status` in that folder to see what is wrong with it.",
  });
}

export function treeTooLarge(folder: string, most: number): Problem {
  return new Problem({
    code: "tree_too_large",
    message: `${folder} holds more than ${most} files.`,
    remedy: "Name what need not be copied in its .gitignore.",
  });
}
