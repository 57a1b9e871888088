import type { Need } from "../access/access.ts";
import { Problem, quote } from "../base/problem.ts";

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
    message: `${quote(name)} is no domain that environments can be below.`,
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

export function ownerOnly(call: string): Problem {
  return new Problem({
    code: "owner_only",
    message: `What ${call} does is about the server's own machine, and can be asked for there alone.`,
    remedy: "Run the command on that machine, as the user whose server it is.",
  });
}

export function scopeTooSmall(call: string, { right, app }: Need): Problem {
  const where = app === null ? "" : ` on ${app.slice(0, 60)}`;
  return new Problem({
    code: "scope_too_small",
    message: `This token is not good for ${call}${where}, which takes the right to ${right === "admin" ? "administer" : right}.`,
    remedy:
      "See what it is good for with `ramet whoami`; whoever keeps the server can give you another.",
  });
}

export function filesLinkedAfar(name: string): Problem {
  return new Problem({
    code: "files_linked_afar",
    message: `${name} runs on a folder of the server's own machine, which this command cannot reach from here.`,
    remedy:
      "Fork it with `ramet env create NAME --use`: the server keeps a fork's files, and exchanges them with yours.",
  });
}

export function requestScreened(reason: string): Problem {
  return new Problem({
    code: "request_screened",
    message: `This server refuses the request: ${reason}.`,
    remedy: "Use the ramet command, at the address that the server's certificate is for.",
  });
}

export function listenPlain(address: string): Problem {
  return new Problem({
    code: "listen_plain",
    message: `Without TLS, tokens and files would pass ${address} in the clear.`,
    remedy:
      "Give --tls-cert FILE and --tls-key FILE; or behind a proxy that ends TLS listen on 127.0.0.1 with --behind-proxy URL.",
  });
}

export function listenInvalid(text: string): Problem {
  return new Problem({
    code: "listen_invalid",
    message: `${quote(text)} is no address to listen on.`,
    remedy: "Write an address of this machine and a port, such as 0.0.0.0:7443 or [::]:7443.",
  });
}

export function listenFailed(address: string, why: string): Problem {
  return new Problem({
    code: "listen_failed",
    message: `The server cannot listen on ${address}: ${why.slice(0, 200)}.`,
    remedy: "Free that port, or choose another with --listen ADDRESS:PORT.",
  });
}

/** The program that was to work on an environment's files did not begin. @param why what it printed */
export function filesUntended(why: string): Problem {
  const said = why === "" ? "" : `: ${why.slice(0, 400)}`;
  return new Problem({
    code: "files_untended",
    message: `The program that works on the environment's files could not be started${said}.`,
    remedy: "See what `ramet doctor` says of this machine's isolation, and run the command again.",
  });
}

/** The server was started anew, or many others came since. */
export function visitUnknown(): Problem {
  return new Problem({
    code: "visit_unknown",
    message: "The server knows nothing of this transfer any more, as after a restart.",
    remedy: "Run the command again: what was brought so far is there.",
  });
}
