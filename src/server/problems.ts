import { Problem } from "../base/problem.ts";

export function inputInvalid(why: string): Problem {
  return new Problem({
    code: "input_invalid",
    message: `The call's input is not what it must be: ${why.slice(0, 500)}`,
    remedy: "Compare it with the command's --help.",
  });
}

export function callUnknown(name: string): Problem {
  return new Problem({
    code: "call_unknown",
    message: `The server knows no call ${name.slice(0, 60)}.`,
    remedy: "Bring the CLI and the server to one version: `ramet server restart`.",
  });
}

export function protocolMismatch(client: string, server: number): Problem {
  const isClientOlder = Number(client) < server;
  return new Problem({
    code: "protocol_mismatch",
    message: `The CLI speaks protocol ${client.slice(0, 10)}, the server ${server}.`,
    remedy: isClientOlder
      ? "Upgrade the CLI."
      : "Restart the server in the CLI's version: `ramet server restart`.",
  });
}

export function tokenWrong(): Problem {
  return new Problem({
    code: "token_wrong",
    message: "The call does not carry this server's token.",
    remedy: "Use the same RAMET_HOME as the server, and read its token anew.",
  });
}

export function noFreePort(first: number): Problem {
  return new Problem({
    code: "port_none_free",
    message: `No port from ${first} on is free.`,
    remedy: "End what holds them, or free one of them.",
  });
}

export function linkedElsewhere(name: string, folder: string): Problem {
  return new Problem({
    code: "environment_linked_elsewhere",
    message: `${name} runs on ${folder}, not on this folder.`,
    remedy: `Go to ${folder}, or make an environment for this folder with \`ramet env create NAME --use\`.`,
  });
}

export function storageMoving(home: string): Problem {
  return new Problem({
    code: "storage_moving",
    message: `The environments of ${home} are being moved to other storage.`,
    remedy: "Wait until `ramet server storage` has finished, and do it again.",
  });
}

export function serverStarted(home: string): Problem {
  return new Problem({
    code: "server_started",
    message: `A server of ${home} was started meanwhile.`,
    remedy: "Do it again; what is asked of Ramet meanwhile starts a server.",
  });
}
