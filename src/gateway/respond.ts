import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { ProblemFields } from "../base/problem.ts";
import { type PageState, renderProblemPage, renderWaitingPage, STATE_HEADER } from "./pages.ts";

/** A request and the place for its answer. */
export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

export type ProblemAnswer = {
  readonly status: number;
  /** The page's heading, and the few words over it. */
  readonly title: string;
  readonly badge: string;
  readonly problem: ProblemFields;
  readonly retryAfterSeconds?: number;
  /** The page reloads by itself once the environment is no longer unavailable. */
  readonly watches?: boolean;
};

/** A page for a browser, JSON for a program. */
export function respondProblem(exchange: Exchange, answer: ProblemAnswer): void {
  const { status, problem, retryAfterSeconds } = answer;
  const retry = retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) };
  if (!acceptsHtml(exchange.request)) {
    const { code, message, remedy } = problem;
    const text = `${JSON.stringify({ problem: { code, message, remedy } })}\n`;
    respond(exchange, { status, text, headers: { "Content-Type": "application/json", ...retry } });
    return;
  }
  const nonce = makeNonce();
  const text = renderProblemPage({ ...answer, nonce: answer.watches === true ? nonce : null });
  respond(exchange, { status, text, headers: { ...pageHeaders(nonce), ...retry } });
}

export function respondWaitingPage(
  exchange: Exchange,
  page: { readonly label: string; readonly state: "starting" | "asleep" },
): void {
  const nonce = makeNonce();
  const text = renderWaitingPage({ ...page, nonce });
  const headers = { ...pageHeaders(nonce), "Retry-After": "1" };
  respond(exchange, { status: 503, text, headers });
}

/** To a page of ours that asks whether to reload. */
export function respondState(exchange: Exchange, state: PageState): void {
  const status = state === "ready" ? 204 : 202;
  respond(exchange, { status, text: "", headers: { [STATE_HEADER]: state } });
}

/** Whether a person looks at this: a browser that opens a page, not one that loads a part of it. */
export function isNavigation({ method, headers }: IncomingMessage): boolean {
  const mode = headers["sec-fetch-mode"];
  const opens = mode === undefined || mode === "navigate";
  return method === "GET" && opens && (headers.accept ?? "").includes("text/html");
}

function acceptsHtml({ headers }: IncomingMessage): boolean {
  return (headers.accept ?? "").includes("text/html");
}

function pageHeaders(nonce: string): Record<string, string> {
  return {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'`,
  };
}

function respond(
  { response }: Exchange,
  answer: { status: number; text: string; headers: Record<string, string> },
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const length =
    answer.status === 204 ? {} : { "Content-Length": String(Buffer.byteLength(answer.text)) };
  response.writeHead(answer.status, {
    ...answer.headers,
    ...length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    // After a refusal the rest of the connection cannot be trusted.
    ...(answer.status === 400 ? { Connection: "close" } : {}),
  });
  response.end(answer.text);
}

function makeNonce(): string {
  return randomBytes(16).toString("base64");
}
