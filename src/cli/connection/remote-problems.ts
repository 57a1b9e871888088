import { Problem, quote } from "../../base/problem.ts";

export function serverUrlInvalid(text: string, why: string): Problem {
  return new Problem({
    code: "server_url_invalid",
    message: `${quote(withoutUser(text))} cannot be a server's URL: ${why}.`,
    remedy: "Write it as https://HOST:PORT, without a path.",
  });
}

/** Whoever put a token where it does not belong does not want to read it again. */
function withoutUser(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//…@");
}

export function loginNeeded(url: string): Problem {
  return new Problem({
    code: "login_needed",
    message: `There is no token for ${url}.`,
    remedy: `Log in with \`ramet login ${url}\`, or set RAMET_TOKEN besides RAMET_SERVER.`,
  });
}

export function tokenWithoutServer(): Problem {
  return new Problem({
    code: "server_unnamed",
    message: "RAMET_TOKEN is set, and nothing says which server it is for.",
    remedy: "Set RAMET_SERVER=https://HOST:PORT too: a token is sent nowhere else.",
  });
}

export function loginInvalid(file: string): Problem {
  return new Problem({
    code: "login_invalid",
    message: `${file} cannot say which server is meant.`,
    remedy: "Log in anew with `ramet login URL`, or remove it with `ramet logout`.",
  });
}

export function loginExposed(file: string): Problem {
  return new Problem({
    code: "login_exposed",
    message: `${file}, which holds a token, can be read by others on this machine.`,
    remedy: `Revoke that token, then log in anew with \`ramet login URL\`; or \`chmod 600 ${file}\` if nobody has read it.`,
  });
}

export function serverUnreachable(url: string, why: string): Problem {
  return new Problem({
    code: "server_unreachable",
    message: `${url} cannot be reached: ${why}.`,
    remedy:
      "Look whether that server runs and this machine is connected; `ramet logout` goes back to this machine's own.",
  });
}

const RENEW =
  "Ask whoever keeps the server to renew its certificate, which is then taken up within a minute; and look at this machine's clock.";
/** Another authority, or a fingerprint, would not help against these. */
const REMEDIES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: RENEW,
  CERT_NOT_YET_VALID: RENEW,
  ERR_TLS_CERT_ALTNAME_INVALID:
    "Call the server by a name, or an address, that its certificate has; or have a certificate made that has this one.",
  EPROTO: "Look at the host and the port: the server says on which it answers calls from afar.",
};

/** @param code what the system calls the reason */
export function serverUntrusted(url: string, why: string, code = ""): Problem {
  return new Problem({
    code: "server_untrusted",
    message: `${url} cannot prove that it is what it is called, so nothing was sent to it: ${why}.`,
    remedy:
      REMEDIES[code] ??
      `If its certificate is of an authority of your own, \`ramet login ${url} --ca FILE\`; else compare its fingerprint with what the server printed, and \`ramet login ${url} --fingerprint SHA256\`.`,
  });
}

export function serverNotPlain(url: string): Problem {
  const secure = url.replace(/^http:/, "https:");
  return new Problem({
    code: "server_not_plain",
    message: `What listens at ${url} does not answer in plain HTTP.`,
    remedy: `A server that has a certificate speaks TLS alone: \`ramet login ${secure}\`.`,
  });
}

export function serverElsewhere(url: string, status: number): Problem {
  return new Problem({
    code: "server_elsewhere",
    message: `${url} answers with ${status}, which leads elsewhere; a token is not taken there.`,
    remedy: "Ask whoever keeps the server for its own URL, and log in to that.",
  });
}

export function serverOther(url: string, status: number): Problem {
  return new Problem({
    code: "server_other",
    message: `What answers at ${url} (with ${status}) is no server of Ramet.`,
    remedy: "Look at the URL; behind a proxy, at whether the server itself runs.",
  });
}

export function fingerprintOther(url: string, found: string): Problem {
  return new Problem({
    code: "fingerprint_other",
    message: `${url} shows a certificate with another fingerprint: ${found}.`,
    remedy: "Do not log in, unless whoever keeps the server says that this is its new certificate.",
  });
}

export function fingerprintUnconfirmed(url: string, found: string): Problem {
  return new Problem({
    code: "fingerprint_unconfirmed",
    message: `Nobody vouches for the certificate of ${url}, whose fingerprint is ${found}, and nobody can be asked here.`,
    remedy:
      "Compare it with what the server printed when it started, then give it with --fingerprint.",
  });
}

export function protocolAfar(
  url: string,
  { server, ours }: { server: number; ours: number },
): Problem {
  const isServerNewer = server > ours;
  return new Problem({
    code: "protocol_differs",
    message: `${url} speaks version ${server} of the protocol, this command version ${ours}.`,
    remedy: isServerNewer
      ? "Upgrade this command: `npm install -g ramet@latest`."
      : "Ask whoever keeps the server to upgrade it, or use the version of this command that it is of (`ramet whoami` there).",
  });
}

export function tokenMissing(): Problem {
  return new Problem({
    code: "token_missing",
    message: "No token was given.",
    remedy:
      "Ask whoever keeps the server for one (`ramet token create USER` there), and give it on standard input.",
  });
}

export function portTaken(port: number): Problem {
  return new Problem({
    code: "local_port_taken",
    message: `The port ${port} of this machine is taken, or not for this user.`,
    remedy: "Choose another with --port PORT, or leave it out.",
  });
}
