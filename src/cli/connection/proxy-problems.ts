import { Problem } from "../../base/problem.ts";

/** What it holds may be a password: it is not shown. */
export function proxyInvalid(variable: string, why: string): Problem {
  return new Problem({
    code: "proxy_invalid",
    message: `${variable} cannot be a proxy's URL: ${why}.`,
    remedy: "Write it as http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT.",
  });
}

export function proxyUnreachable(origin: string, why: string): Problem {
  return new Problem({
    code: "proxy_unreachable",
    message: `The proxy ${origin} (HTTPS_PROXY) cannot be used: ${why}.`,
    remedy:
      "Look whether it is the right one here; NO_PROXY names the servers that are reached without it.",
  });
}

export function proxyRefused(
  origin: string,
  { status, host }: { status: number; host: string },
): Problem {
  const wantsPassword = status === 407;
  return new Problem({
    code: "proxy_refused",
    message: wantsPassword
      ? `The proxy ${origin} (HTTPS_PROXY) asks for a user and a password, or for others.`
      : `The proxy ${origin} (HTTPS_PROXY) refuses to lead to ${host}: it answers with ${status}.`,
    remedy: wantsPassword
      ? "Write them into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT."
      : "Ask whoever keeps it to let this server through, or name the server in NO_PROXY if it can be reached without.",
  });
}
