import { hasErrorCode, messageOf, Problem } from "../../base/problem.ts";

export type Direction = "push" | "pull";

const SIDES = {
  push: { other: "the environment", back: "ramet pull" },
  pull: { other: "this workspace", back: "ramet push" },
} as const;
const MAX_NAMED = 5;

/** Changes of the receiving side stand in the way. */
export function syncConflict(direction: Direction, paths: readonly string[]): Problem {
  const { other, back } = SIDES[direction];
  return conflict(
    `Changes in ${other} would be overwritten: ${nameSome(paths)}.`,
    `Overwrite them with \`ramet ${direction} --force\`, which keeps a copy; take them over with \`${back}\`; or let \`ramet dev\` bring each side what the other changed.`,
  );
}

/** Somebody wrote while we did. */
export function changedMeanwhile(path: string): Problem {
  return conflict(
    `${path} was changed while files were being transferred; nothing of it was overwritten.`,
    "See what differs with `ramet status`, and run the command again, with --force to overwrite.",
  );
}

/** @param emptied the side that holds nothing any more */
export function syncEmptied(emptied: "workspace" | "environment", count: number): Problem {
  return new Problem({
    code: "sync_emptied",
    message: `The ${emptied} has no files at all, and ${count} on the other side would be removed.`,
    remedy: "If that is what you want, push or pull with --force; a copy is kept.",
  });
}

/** @param side whose files would go */
export function syncRemovals(
  side: "workspace" | "environment",
  { count, of }: { readonly count: number; readonly of: number },
): Problem {
  const direction = side === "workspace" ? "pull" : "push";
  return new Problem({
    code: "sync_removals",
    message: `${count} of ${of} files would be removed from the ${side} at once; nothing was.`,
    remedy: `If that is what you want, run \`ramet ${direction} --force\` once, which keeps a copy; else put back what is missing on the other side.`,
  });
}

export function syncBlocked(path: string): Problem {
  return new Problem({
    code: "sync_blocked",
    message: `Something that is not transferred stands where ${path} must be put: a link, or a folder with such files in it.`,
    remedy: "Move it away, then run the command again.",
  });
}

/** Nothing can be said of trees whose rules change all the while. */
export function syncUnsettled(): Problem {
  return new Problem({
    code: "sync_unsettled",
    message:
      "Which files belong to the workspace changed again and again while they were read; nothing was done.",
    remedy: "Run the command again once git, or whatever writes .gitignore, is done.",
  });
}

/** It names something that is no part of a tree, or a link that leads out of it. */
export function syncOutside(path: string): Problem {
  return new Problem({
    code: "sync_outside",
    message: `${JSON.stringify(path)} is not transferred: it is no part of the tree, or leads out of it.`,
    remedy: "Give it a plain name, and let links lead to what is inside, by a relative path.",
  });
}

export function syncReplaced(): Problem {
  return new Problem({
    code: "sync_replaced",
    message:
      "The workspace's folder, or the environment's, was replaced by another; nothing was transferred.",
    remedy:
      "If that is what you want, run `ramet dev` again: what both have is then compared anew.",
  });
}

/** Another command is at it, and has not come to an end. */
export function workspaceBusy(workspace: string): Problem {
  return new Problem({
    code: "workspace_busy",
    message: `Another command is transferring the files of ${workspace}.`,
    remedy: "Run this one again when that has ended.",
  });
}

export function devRunning(workspace: string): Problem {
  return new Problem({
    code: "dev_running",
    message: `Another \`ramet dev\` keeps the files of ${workspace} the same as an environment's already.`,
    remedy:
      "Stop that one first, with Ctrl-C where it runs; one is enough for everybody who edits here.",
  });
}

/** Or it was moved, which looks the same from where it was. */
export function syncGone(folder: string): Problem {
  return new Problem({
    code: "sync_gone",
    message: `${folder} is gone: there is no such folder any more. Nothing was transferred.`,
    remedy: "If it was moved, run the command again where it is now.",
  });
}

export function syncUnreadable(path: string, reason: string): Problem {
  return new Problem({
    code: "sync_unreadable",
    message: `${path} cannot be read: ${reason}.`,
    remedy: "Make it readable, or name it in .gitignore.",
  });
}

/** What came in the way of reading one path; undefined: it concerns more than that. */
export function explainUnread(path: string, error: unknown): Problem | undefined {
  const isClosed = hasErrorCode(error, "EACCES", "EPERM", "EIO");
  return isClosed ? syncUnreadable(path, "it may not be read") : undefined;
}

/** What keeps going slower for it, and is told of it. */
export function syncUnheard(error: unknown): Problem {
  return new Problem({
    code: "sync_unheard",
    message: `Nothing is heard of what happens in the environment's files, which are looked at once a second instead: ${messageOf(error)}`,
    remedy: "Start `ramet dev` again; if that does not help, restart the server it speaks to.",
  });
}

/** What came from the other end makes no sense: a bug there, or somebody who plays with it. */
export function wireBroken(why: string): Problem {
  return new Problem({
    code: "wire_broken",
    message: `What came from the other machine makes no sense: ${why}.`,
    remedy:
      "Run the command again; if that does not help, bring both machines to one version of Ramet.",
  });
}

export function trashUnknown(id: string, paths: readonly string[]): Problem {
  const named = paths.length === 0 ? "" : ` for ${nameSome(paths)}`;
  return new Problem({
    code: "trash_unknown",
    message: `Nothing is kept under ${id}${named}.`,
    remedy: "See what is kept with `ramet trash list`.",
  });
}

function conflict(message: string, remedy: string): Problem {
  return new Problem({ code: "sync_conflict", message, remedy });
}

function nameSome(paths: readonly string[]): string {
  const named = paths.slice(0, MAX_NAMED).join(", ");
  return paths.length > MAX_NAMED ? `${named} and ${paths.length - MAX_NAMED} more` : named;
}
