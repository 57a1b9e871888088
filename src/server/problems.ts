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

export function frontPortMissing(name: string): Problem {
  return new Problem({
    code: "front_port_missing",
    message: `No process of ${name} names a port that it is to be found at.`,
    remedy:
      'Say one with `ramet env front --port 3000`, or write "port": 3000 of the process in ramet.json.',
  });
}

export function frontPortTaken(port: number): Problem {
  return new Problem({
    code: "front_port_taken",
    message: `The port ${port} of this machine, which is to lead to it, is taken by another program.`,
    remedy: `End that program (\`lsof -i :${port}\` names it), or choose another port with \`ramet env front --port PORT\`.`,
  });
}

export function frontPortRefused(port: number): Problem {
  return new Problem({
    code: "front_port_refused",
    message: `The system lets the server not listen on port ${port}: those below 1024 are for root.`,
    remedy: "Choose another port with `ramet env front --port PORT`.",
  });
}

export function domainInvalid(name: string): Problem {
  return new Problem({
    code: "domain_invalid",
    message: `${JSON.stringify(name.slice(0, 80))} is no domain that environments can be below.`,
    remedy: "Name one that is yours, such as dev.example.com.",
  });
}

export function certificateUnreadable(file: string, why: string): Problem {
  return new Problem({
    code: "certificate_unreadable",
    message: `${file} cannot be read: ${why.slice(0, 200)}`,
    remedy: "Name files of PEM that the server's user may read.",
  });
}

export function certificateUnfit(file: string, why: string): Problem {
  return new Problem({
    code: "certificate_unfit",
    message: `The certificate in ${file} does not do: ${why}.`,
    remedy: "Give one for all names below the domain (*.NAME), and its own key.",
  });
}

export function trashLinked(name: string): Problem {
  return new Problem({
    code: "trash_linked",
    message: `${name} runs on this folder itself: nothing is transferred, and so nothing was displaced.`,
    remedy: "Use git for what was changed here.",
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
