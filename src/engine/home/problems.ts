import { formatBytes } from "../../base/bytes.ts";
import { messageOf, Problem } from "../../base/problem.ts";

export function recordUnreadable(file: string, cause: unknown): Problem {
  return new Problem(
    {
      code: "record_unreadable",
      message: `${file} cannot be read: ${messageOf(cause).slice(0, 300)}`,
      remedy:
        "Restore the file from a backup, or move it away: its environment is then cleared at the next start.",
    },
    { cause },
  );
}

export function filesMissing(folder: string): Problem {
  return new Problem({
    code: "files_missing",
    message: `The folder ${folder}, which the environment runs on, is not there.`,
    remedy: "Put it back, or delete the environment with `ramet env delete NAME --force`.",
  });
}

export function folderNoApp(folder: string): Problem {
  return new Problem({
    code: "app_not_found",
    message: `${folder} holds no app: it has no ramet.json, and nothing else in it says how one is run.`,
    remedy:
      'Go to the folder of your app, or write a ramet.json that says how to start it, such as {"processes":{"web":{"command":"..."}}}.',
  });
}

export function notAFolder(folder: string): Problem {
  return new Problem({
    code: "folder_invalid",
    message: `${folder} is not a folder that can be read.`,
    remedy: "Name a folder that exists.",
  });
}

export function isolationMissing(
  name: string,
  { why, remedy }: { readonly why: string; readonly remedy: string },
): Problem {
  return new Problem({
    code: "isolation_missing",
    message: `${name} asks to be sealed off from the machine ("isolation": "required" in ramet.json), which is not possible here: ${why}.`,
    remedy,
  });
}

/** A problem as it is; anything else as the failure of the part that it came from. */
export function asProblem(part: string, cause: unknown): Problem {
  if (cause instanceof Problem) return cause;
  return new Problem(
    {
      code: `${part}_failed`,
      message: `${part}: ${messageOf(cause).slice(0, 500)}`,
      remedy: "See `ramet server logs`, then try again with `ramet env start NAME`.",
    },
    { cause },
  );
}

export function maskMissing(file: string): Problem {
  return new Problem({
    code: "mask_missing",
    message: `The file ${file}, which masks a fork's rows, cannot be read.`,
    remedy: 'Write it, or change "database.mask" in ramet.json. Nothing was forked.',
  });
}

export function standbyNoRoom(): Problem {
  return new Problem({
    code: "standby_no_room",
    message: "There is too little memory or disk for a standby of this database.",
    remedy: "Free some; until then forks are copied.",
  });
}

export function memoryShort(
  name: string,
  memory: { readonly availableBytes: number } | null,
): Problem {
  const left = memory === null ? "too little" : formatBytes(memory.availableBytes);
  return new Problem({
    code: "memory_short",
    message: `${name} does not wake: ${left} of the machine's memory are free, and nothing that rests could make room.`,
    remedy: "Stop what is not needed (`ramet top` shows what takes how much), then try again.",
  });
}

export function serverLeaving(): Problem {
  return new Problem({
    code: "server_leaving",
    message: "The server is being stopped; what it was making is given up.",
    remedy: "Do it again: the next command starts the server.",
  });
}

/** @param reason why it did not start the last time */
export function databaseRestarting(
  reason: string | null,
  { inMs, log }: { readonly inMs: number; readonly log: string },
): Problem {
  const why = reason === null ? "" : ` It did not come back so far: ${reason.slice(0, 500)}`;
  const when = inMs < 1000 ? "now" : `in ${Math.ceil(inMs / 1000)} s`;
  return new Problem({
    code: "database_restarting",
    message: `Its database ended by itself and is started again ${when}.${why}`,
    remedy: `Wait for it; why it ended may stand in ${log}.`,
  });
}

export function databaseRestarted(agoMs: number, log: string): Problem {
  return new Problem({
    code: "database_restarted",
    message: `Its database ended by itself and was started again ${Math.floor(agoMs / 1000)} s ago; connections to it were cut.`,
    remedy: `Connect again; why it ended may stand in ${log}.`,
  });
}

export function databaseDown(reason: string, log: string): Problem {
  return new Problem({
    code: "database_down",
    message: `Its database ended by itself and does not start again: ${reason.slice(0, 500)}`,
    remedy: `Mend what ${log} names, then wake it with \`ramet env start NAME\`.`,
  });
}

export function environmentUnfinished(name: string): Problem {
  return new Problem({
    code: "environment_unfinished",
    message: `${name} is still being made, or its making was interrupted.`,
    remedy: `Wait for it, or finish it with \`ramet env start ${name}\`; then try again.`,
  });
}

export function verificationFailed(printed: string): Problem {
  return new Problem({
    code: "verification_failed",
    message: `What tries to break out of the environment did not come to its end: ${printed.slice(0, 500)}`,
    remedy: "This proves nothing, neither way: please report it, with this message.",
  });
}
