import { Problem, quote } from "../../base/problem.ts";

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
