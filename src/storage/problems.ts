import { formatBytes } from "../base/bytes.ts";
import { Problem } from "../base/problem.ts";
import { formatRootCommand } from "./root-command.ts";

export function storageUnmounted(home: string, reason: string): Problem {
  return new Problem({
    code: "storage_unmounted",
    message: `The storage that holds the environments of ${home} is not mounted: ${reason}. Nothing of it was touched.`,
    remedy: `Mend what is named, and mount it with \`${formatRootCommand(home, "create")}\`; it makes no second one.`,
  });
}

export function storageUnreadable(file: string, reason: string): Problem {
  return new Problem({
    code: "storage_unreadable",
    message: `${file}, which says where the environments are, cannot be read: ${reason.slice(0, 300)}`,
    remedy:
      "Restore it from a backup; while it is damaged, nothing is started and nothing removed.",
  });
}

export function storageUnsupported(reason: string): Problem {
  return new Problem({
    code: "storage_unsupported",
    message: `Storage of its own is not possible here: ${reason}.`,
    remedy: "Go on without it: forks then copy their bytes, and take as long as that takes.",
  });
}

export function rootNeeded(home: string, command: string): Problem {
  return new Problem({
    code: "root_needed",
    message: "Only root can make and mount a file system.",
    remedy: `Run \`${formatRootCommand(home, command)}\`.`,
  });
}

export function storageToolMissing(tool: string, debianPackage: string): Problem {
  return new Problem({
    code: "storage_tool_missing",
    message: `The program ${tool} is not installed.`,
    remedy: `Install it; on Debian and Ubuntu: apt-get install ${debianPackage}.`,
  });
}

export function storageNeedless(data: string): Problem {
  return new Problem({
    code: "storage_needless",
    message: `${data} lies on a file system that shares blocks already: forks take the same time for any size.`,
    remedy: "Nothing needs to be done.",
  });
}

export function storageMissing(home: string): Problem {
  return new Problem({
    code: "storage_missing",
    message: `${home} has no storage of its own.`,
    remedy: `Make one with \`${formatRootCommand(home, "create")}\`.`,
  });
}

export function storageTooSmall(bytes: number, neededBytes: number): Problem {
  return new Problem({
    code: "storage_too_small",
    message: `${formatBytes(bytes)} are too few: at least ${formatBytes(neededBytes)} are needed.`,
    remedy: `Choose more: \`--size ${Math.ceil(neededBytes / 1e9)}G\`.`,
  });
}

export function storageBusy(folder: string): Problem {
  return new Problem({
    code: "storage_busy",
    message: `${folder} is in use and cannot be unmounted.`,
    remedy: `End what uses it, which \`fuser -vm ${folder}\` lists, and leave it with your shell; then try again.`,
  });
}

/** @param doing such as `be mounted` */
export function storageFailed(doing: string, reason: string): Problem {
  return new Problem({
    code: "storage_failed",
    message: `The storage could not ${doing}: ${reason.trim().slice(0, 500) || "nothing was said about why"}`,
    remedy: "Mend what is named and try again; the environments are where they were.",
  });
}
