import { hasErrorCode, Problem } from "./problem.ts";

/** What is thrown in place of an error that says that nothing may be written there; any other error stays what it is. */
export function explainClosed(error: unknown, folder: string): unknown {
  if (hasErrorCode(error, "EROFS")) return folderClosed(folder, "its disk is read-only");
  return hasErrorCode(error, "EACCES", "EPERM")
    ? folderClosed(folder, "permission is denied")
    : error;
}

function folderClosed(folder: string, why: string): Problem {
  return new Problem({
    code: "folder_closed",
    message: `Nothing can be written in ${folder}: ${why}.`,
    remedy:
      "Make it writable for you: Ramet keeps what it knows of a workspace in its folder .ramet.",
  });
}
