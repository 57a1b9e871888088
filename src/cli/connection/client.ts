import { readFile } from "node:fs/promises";
import type { IncomingMessage, RequestOptions } from "node:http";
import { connect } from "node:net";

import { rest } from "../../base/clock.ts";
import { hasErrorCode, messageOf, Problem } from "../../base/problem.ts";
import type { LogLine, Progress } from "../../environment/environment.ts";
import type { CallInput, CallName, CallOutput } from "../../protocol/calls.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION, TOKEN_HEADER } from "../../protocol/headers.ts";
import type { Home } from "../../protocol/home.ts";
import { protocolMismatch } from "../../protocol/problems.ts";
import { parseMessage, parseOutput } from "./answers.ts";
import { readLines } from "./lines.ts";
import type { Place } from "./place.ts";
import { answerUnreadable, connectionLost } from "./problems.ts";
import { serverAbsent, serverForbidden, serverSilent } from "./problems.ts";
import { protocolAfar } from "./remote-problems.ts";

export type CallEvents = {
  onProgress?(progress: Progress): void;
  onLine?(line: LogLine): void;
};

export type CallOptions = CallEvents & {
  readonly signal?: AbortSignal | undefined;
  /** How long the server may say nothing; the default suits the call. */
  readonly silenceMs?: number;
};

/** A table of rows is one line. */
const MAX_LINE_CHARACTERS = 64 * 1024 * 1024;

const QUICK_MS = 2 * 60_000;
/** `setup` may install everything from scratch without a word. */
const SLOW_MS = 60 * 60_000;
const FOREVER_MS = 0;

const SILENCE_MS: Partial<Record<CallName, number>> = {
  "app.create": SLOW_MS,
  "environment.create": SLOW_MS,
  "environment.start": SLOW_MS,
  "database.query": SLOW_MS,
  "files.push": SLOW_MS,
  "files.pull": SLOW_MS,
  "environment.attend": FOREVER_MS,
  "environment.logs": FOREVER_MS,
  "environment.develop": FOREVER_MS,
};

/** One that is elsewhere says something at least every 15 seconds, be it that it is there. */
const AFAR_MS = 60_000;
/** Once it is known what was answered, its end is due. */
const END_MS = 1_000;

/**
 * Asks the server and waits for its answer.
 * @throws the problem that the server answers, `server_not_running`, `server_forbidden`, `server_silent`,
 * `connection_lost`, `answer_unreadable`, `protocol_mismatch`, or the signal's reason; of a server elsewhere
 * `server_unreachable`, `server_untrusted`, `server_elsewhere`, `server_other`, `protocol_differs` as well
 */
export async function callServer<Name extends CallName>(
  place: Place,
  { name, input }: { readonly name: Name; readonly input: CallInput<Name> },
  options: CallOptions = {},
): Promise<CallOutput<Name>> {
  const asked = { name, body: JSON.stringify(input) };
  const answer =
    (await askOver(await openRoute(place, name, options), asked, options)) ??
    (await askOver(await openRoute(place, "anew", options), asked, options));
  if (answer === undefined) throw connectionLost();
  return parseOutput(name, answer.result);
}

type Asked = { readonly name: CallName; readonly body: string };

/** undefined: it was asked by a kept connection that had gone, nothing was answered, and it may be asked again. */
async function askOver(
  route: Route,
  asked: Asked,
  options: CallOptions,
): Promise<{ readonly result: unknown } | undefined> {
  options.signal?.throwIfAborted();
  const exchange = openExchange(route, asked, options);
  try {
    const response = await exchange.response.catch((error: unknown) => {
      if (exchange.hadGone(error)) return undefined;
      throw route.explainUnheard(error);
    });
    if (response === undefined) {
      route.forget();
      return undefined;
    }
    route.check(response);
    return { result: await readAnswer(response, options) };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (route.token === "" && error instanceof Problem && error.code === "token_wrong")
      throw serverAbsent();
    throw exchange.failure() ?? route.explain(error);
  } finally {
    if (route.isKept) await exchange.end();
    exchange.close();
  }
}

/** How a server is reached, what it is shown, and what its failures mean. */
type Route = {
  readonly line: Pick<RequestOptions, "createConnection" | "agent">;
  readonly host: string;
  readonly token: string;
  /** How long it may say nothing, whatever is asked; null: the call says it. */
  readonly silenceMs: number | null;
  /** Whether its connection is there for the next call too. */
  readonly isKept: boolean;
  /** Whatever is kept has gone. */
  forget(): void;
  check(response: IncomingMessage): void;
  explain(error: unknown): unknown;
  /** Of a request that nothing was answered to. */
  explainUnheard(error: unknown): unknown;
};

/** @param call what is asked; `anew`: by a connection of its own, whatever it is */
async function openRoute(
  place: Place,
  call: CallName | "anew",
  { signal }: CallOptions,
): Promise<Route> {
  if (!("url" in place)) return openOwnRoute(place);
  const { assertOwnAnswer, explainAfar, openLine, takeLine } = await import("./remote-line.ts");
  const { isRepeatable, keptLinesOf } = await import("./kept-lines.ts");
  const { url, token } = place;
  const isKept = call !== "anew" && isRepeatable(call);
  const { host, ...line } = await (isKept ? takeLine : openLine)(place, signal);
  return {
    isKept,
    forget: () => keptLinesOf(place).forget(),
    line,
    host,
    token,
    silenceMs: AFAR_MS,
    check: (response) => {
      assertOwnAnswer(response, url);
      const server = versionOf(response);
      if (server !== PROTOCOL_VERSION) throw protocolAfar(url, { server, ours: PROTOCOL_VERSION });
    },
    explain: (error) => explainAfar(error, url),
    explainUnheard: (error) => explainAfar(error, url),
  };
}

async function openOwnRoute(home: Home): Promise<Route> {
  return {
    // Without an agent: it would find out first whether the host is an address, by a pattern that takes milliseconds to compile.
    line: {
      createConnection: ({ timeout = FOREVER_MS }) => connect({ path: home.socket, timeout }),
    },
    host: "ramet",
    token: await readToken(home),
    silenceMs: null,
    isKept: false,
    forget: () => undefined,
    check: (response) => {
      const version = versionOf(response);
      if (version !== PROTOCOL_VERSION) throw protocolMismatch(version, PROTOCOL_VERSION);
    },
    explain: (error) => explain(error, home),
    // A server that was killed may still take a connection, and dies before it can say that it heard.
    explainUnheard: (error) =>
      hasErrorCode(error, "ECONNRESET", "EPIPE") ? serverAbsent() : error,
  };
}

function versionOf(response: IncomingMessage): number {
  return Number(response.headers[PROTOCOL_HEADER] ?? PROTOCOL_VERSION);
}

type Exchange = {
  readonly response: Promise<IncomingMessage>;
  /** Why we gave the connection up ourselves. */
  failure(): Problem | undefined;
  /** Whether it failed since its connection, which an earlier one had left, was there no more. */
  hadGone(error: unknown): boolean;
  /** Once the answer is known: resolves when its connection is free for others, or is not going to be. */
  end(): Promise<void>;
  close(): void;
};

function openExchange(
  route: Route,
  call: { readonly name: CallName; readonly body: string },
  { signal, silenceMs }: CallOptions,
): Exchange {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const limit = silenceMs ?? route.silenceMs ?? SILENCE_MS[call.name] ?? QUICK_MS;
  let failure: Problem | undefined;
  // As an import it would load all that it can do, WebSockets too, which takes as long as a whole start of Node.
  const { request } = process.getBuiltinModule("node:http");
  const sent = request({
    ...route.line,
    path: `/calls/${call.name}`,
    method: "POST",
    timeout: limit,
    headers: {
      host: route.host,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(call.body),
      [TOKEN_HEADER]: route.token,
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    },
    ...(signal === undefined ? {} : { signal }),
  });
  sent.on("response", resolve);
  sent.on("error", reject);
  sent.on("timeout", () => {
    failure = route.silenceMs === null ? serverSilent(Math.ceil(limit / 1000)) : connectionLost();
    sent.destroy();
  });
  const closed = Promise.withResolvers<void>();
  sent.once("close", () => closed.resolve());
  sent.end(call.body);
  return {
    response: promise,
    failure: () => failure,
    hadGone: (error) =>
      failure === undefined && sent.reusedSocket && hasErrorCode(error, "ECONNRESET", "EPIPE"),
    end: async () => {
      const heard = await promise.catch(() => undefined); // Then it has none.
      if (heard?.resume().destroyed === false) await within(END_MS, closed.promise);
    },
    close: () => sent.destroy(),
  };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const limit = rest(ms, over.signal).catch(() => undefined); // Its only other end is the signal's.
  await Promise.race([work, limit]);
  over.abort();
}

async function readAnswer(response: IncomingMessage, events: CallEvents): Promise<unknown> {
  for await (const line of readLines(response, MAX_LINE_CHARACTERS)) {
    const message = await parseMessage(line);
    if ("progress" in message) events.onProgress?.(message.progress);
    else if ("line" in message) events.onLine?.(message.line);
    else if ("problem" in message) throw new Problem(message.problem);
    else if ("bug" in message) throw new Error(message.bug);
    else return message.result;
  }
  throw connectionLost();
}

/** Empty where no server ever ran, or one is just starting for the first time. */
async function readToken(home: Home): Promise<string> {
  try {
    return (await readFile(home.token, "utf8")).trim();
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return "";
    if (hasErrorCode(error, "EACCES", "EPERM")) throw serverForbidden(home.token);
    throw error;
  }
}

function explain(error: unknown, home: Home): unknown {
  if (error instanceof Problem) return error;
  if (hasErrorCode(error, "ENOENT", "ECONNREFUSED", "ENOTDIR")) return serverAbsent();
  if (hasErrorCode(error, "EACCES", "EPERM")) return serverForbidden(home.socket);
  if (hasErrorCode(error, "ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"))
    return connectionLost();
  if (error instanceof Error && "code" in error && String(error.code).startsWith("HPE_")) {
    return answerUnreadable(messageOf(error));
  }
  return error;
}
