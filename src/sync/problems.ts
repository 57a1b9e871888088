import { Problem } from "../base/problem.ts";

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
    `Overwrite them with \`ramet ${direction} --force\`, which keeps a copy, or take them over with \`${back}\`.`,
  );
}

/** Somebody wrote while we did. */
export function changedMeanwhile(path: string): Problem {
  return conflict(
    `${path} was changed while files were being transferred; nothing of it was overwritten.`,
    "See what differs with `ramet status`, and run the command again, with --force to overwrite.",
  );
}

export function syncEmptied(folder: string, count: number): Problem {
  return new Problem({
    code: "sync_emptied",
    message: `${folder} has no files at all, and ${count} on the other side would be removed.`,
    remedy: "If that is what you want, add --force; a copy is kept.",
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
    message: `The folder ${path} stands where a file must be put, and still holds files that are not transferred.`,
    remedy: "Move what is in that folder away, then run the command again.",
  });
}

export function syncUnreadable(path: string, reason: string): Problem {
  return new Problem({
    code: "sync_unreadable",
    message: `${path} cannot be read: ${reason}.`,
    remedy: "Make it readable, or name it in .gitignore.",
  });
}

function conflict(message: string, remedy: string): Problem {
  return new Problem({ code: "sync_conflict", message, remedy });
}

function nameSome(paths: readonly string[]): string {
  const named = paths.slice(0, MAX_NAMED).join(", ");
  return paths.length > MAX_NAMED ? `${named} and ${paths.length - MAX_NAMED} more` : named;
}
