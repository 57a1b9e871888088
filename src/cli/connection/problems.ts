import { Problem } from "../../base/problem.ts";

export function serverAbsent(): Problem {
  return new Problem({
    code: "server_not_running",
    message: "The server is not running.",
    remedy: "Start it with `ramet server start`.",
  });
}

export function serverFailed(reason: string, lastLines: readonly string[]): Problem {
  return new Problem({
    code: "server_failed",
    message: [
      `The server could not be started: ${reason}.`,
      ...lastLines.map((line) => `  ${line}`),
    ].join("\n"),
    remedy: "See `ramet server logs`, or run it in front of you with `ramet serve`.",
  });
}

/** @param pid null: it is not known */
export function serverStuck(pid: number | null): Problem {
  const end = pid === null ? "" : `, or end it with \`kill -9 ${pid}\`: environments go on`;
  return new Problem({
    code: "server_stuck",
    message: "The server was told to end and is still there.",
    remedy: `See \`ramet server logs\`, then try again${end}.`,
  });
}

/** @param listenArguments as `ramet serve` was told */
export function serverListens(pid: number | null, listenArguments: readonly string[]): Problem {
  return new Problem({
    code: "server_listens",
    message: `A server of this home (process ${pid}) listens for others already: ${listenArguments.join(" ")}.`,
    remedy:
      "Let it be, or end it first where it was started: with Ctrl-C, or by its service manager. Environments go on meanwhile.",
  });
}

export function serverSilent(seconds: number): Problem {
  return new Problem({
    code: "server_silent",
    message: `The server has said nothing for ${seconds} seconds.`,
    remedy: "See `ramet server logs`, or start it anew with `ramet server restart`.",
  });
}

export function serverForbidden(socket: string): Problem {
  return new Problem({
    code: "server_forbidden",
    message: `The server behind ${socket} belongs to another user.`,
    remedy: "Run the command as that user, or set RAMET_HOME to a folder of your own.",
  });
}

/** @param reason the system's */
export function homeUnusable(folder: string, reason: string): Problem {
  return new Problem({
    code: "home_unusable",
    message: `What Ramet keeps cannot be in ${folder}: ${reason}.`,
    remedy: "Set RAMET_HOME to a folder of your own, or to one that can be made.",
  });
}

export function connectionLost(): Problem {
  return new Problem({
    code: "connection_lost",
    message: "The connection to the server was lost before it had answered.",
    remedy:
      "See what became of it with `ramet env list`, and of the server with `ramet server logs`.",
  });
}

export function answerUnreadable(reason: string): Problem {
  return new Problem({
    code: "answer_unreadable",
    message: `The server's answer makes no sense: ${reason}.`,
    remedy: "Start a server of this version with `ramet server restart`.",
  });
}
