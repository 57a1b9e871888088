import { Problem } from "../base/problem.ts";

export function requestRefused(reason: string): Problem {
  return new Problem({
    code: "request_refused",
    message: `This request cannot be passed on: ${reason}.`,
    remedy: "Send a plain HTTP/1.1 request with one Host header.",
  });
}

export function hostUnknown(hostname: string): Problem {
  return new Problem({
    code: "host_unknown",
    message: `No environment has the address ${hostname}.`,
    remedy: "See the environments and their URLs with `ramet env list`.",
  });
}

export function hostBlocked(
  hostname: string,
  by: { readonly server: string; readonly remedy: string },
): Problem {
  return new Problem({
    code: "host_blocked",
    message: `The app refuses requests for ${hostname}: its server (${by.server}) answers only hosts that its configuration lists.`,
    remedy: by.remedy,
  });
}

export function proxyLoop(hostname: string): Problem {
  return new Problem({
    code: "proxy_loop",
    message: `This request has come back to the gateway again and again, last for ${hostname}.`,
    remedy: "Look in the app for a proxy or a rewrite whose destination is the app's own URL.",
  });
}

export function stillStarting(label: string, waitedMs: number): Problem {
  return new Problem({
    code: "environment_starting",
    message: `${label} is still starting after ${Math.round(waitedMs / 100) / 10} s.`,
    remedy: "Try again in a moment, or watch it start with `ramet logs`.",
  });
}

export function targetRefusing(label: string, port: number): Problem {
  return new Problem({
    code: "app_unreachable",
    message: `${label} is running, but nothing accepts connections on its port ${port}.`,
    remedy: "See with `ramet logs` why the app stopped listening.",
  });
}

export function targetBroken(label: string): Problem {
  return new Problem({
    code: "app_connection_lost",
    message: `${label} closed the connection without an answer, or its answer was no HTTP.`,
    remedy: "See with `ramet logs` what the app did.",
  });
}

export function targetSilent(label: string, waitedMs: number): Problem {
  return new Problem({
    code: "app_silent",
    message: `${label} took the request and did not answer within ${Math.round(waitedMs / 60_000)} minutes.`,
    remedy: "See with `ramet logs` what the app waits for.",
  });
}

export function targetCrowded(label: string, most: number): Problem {
  return new Problem({
    code: "too_many_requests",
    message: `${label} has ${most} requests and WebSockets open already.`,
    remedy: "Wait until some end; an app that never answers leaves them open (`ramet logs`).",
  });
}

export function gatewayCrowded(): Problem {
  return new Problem({
    code: "too_many_waiting",
    message: "Too many requests wait for environments that are starting.",
    remedy: "Try again in a moment.",
  });
}

export function gatewayFailed(): Problem {
  return new Problem({
    code: "gateway_failed",
    message: "The gateway made a mistake with this request.",
    remedy: "This is a bug in Ramet: please report it with what `ramet server logs` says.",
  });
}
