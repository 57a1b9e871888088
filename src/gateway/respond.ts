import { randomBytes } from "node:crypto";
import { type IncomingMessage, ServerResponse } from "node:http";
import { type Http2ServerRequest, Http2ServerResponse } from "node:http2";

import type { ProblemFields } from "../base/problem.ts";
import type { LogLine } from "../environment/environment.ts";
import { type PageState, renderProblemPage, renderWaitingPage, STATE_HEADER } from "./pages.ts";

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

/** A request and the place for its answer. */
export type Exchange = {
  readonly request: Request;
  readonly response: Response;
  readonly client: Client;
};

export type Client = { readonly address: string; readonly isEncrypted: boolean };

/** Nobody is there any more to be answered. */
export function isGone(response: Response): boolean {
  return response instanceof Http2ServerResponse ? response.stream.destroyed : response.destroyed;
}

/** @param headers name, value, name, value */
export function writeHead(response: Response, status: number, headers: readonly string[]): void {
  if (!(response instanceof Http2ServerResponse)) {
    response.writeHead(status, [...headers]);
    return;
  }
  for (let i = 0; i + 1 < headers.length; i += 2)
    response.appendHeader(headers[i] ?? "", headers[i + 1] ?? "");
  response.writeHead(status);
}

/** In HTTP/2 it is on its way already. */
export function flushHead(response: Response): void {
  if (response instanceof ServerResponse) response.flushHeaders();
}

/** False: wait for `drain`. */
export function writeChunk(response: Response, chunk: Buffer): boolean {
  return response instanceof ServerResponse ? response.write(chunk) : response.write(chunk);
}

export type ProblemAnswer = {
  readonly status: number;
  /** The page's heading, and the few words over it. */
  readonly title: string;
  readonly badge: string;
  readonly problem: ProblemFields;
  /** What the process printed last. */
  readonly log?: readonly LogLine[];
  readonly retryAfterSeconds?: number;
  /** The page reloads by itself once the environment is no longer unavailable. */
  readonly watches?: boolean;
};

/** A page for a browser, JSON for a program. */
export function respondProblem(exchange: Exchange, answer: ProblemAnswer): void {
  const { status, problem, log = [], retryAfterSeconds } = answer;
  const retry = retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) };
  if (!acceptsHtml(exchange.request)) {
    const { code, message, remedy } = problem;
    const printed = log.length === 0 ? {} : { log };
    const text = `${JSON.stringify({ problem: { code, message, remedy }, ...printed })}\n`;
    respond(exchange, { status, text, headers: { "Content-Type": "application/json", ...retry } });
    return;
  }
  const nonce = makeNonce();
  const text = renderProblemPage({ ...answer, log, nonce: answer.watches === true ? nonce : null });
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
export function isNavigation({ method, headers }: Request): boolean {
  const mode = headers["sec-fetch-mode"];
  const opens = mode === undefined || mode === "navigate";
  return method === "GET" && opens && (headers.accept ?? "").includes("text/html");
}

function acceptsHtml({ headers }: Request): boolean {
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
  if (response.headersSent || isGone(response)) {
    response.destroy();
    return;
  }
  const length =
    answer.status === 204 ? {} : { "Content-Length": String(Buffer.byteLength(answer.text)) };
  const headers = {
    ...answer.headers,
    ...length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    // After a refusal the rest of the connection cannot be trusted.
    ...(answer.status === 400 && response instanceof ServerResponse ? { Connection: "close" } : {}),
  };
  writeHead(response, answer.status, Object.entries(headers).flat());
  response.end(answer.text);
}

function makeNonce(): string {
  return randomBytes(16).toString("base64");
}
