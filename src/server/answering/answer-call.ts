import type { IncomingMessage, ServerResponse } from "node:http";

import { refuseToken } from "../../access/access.ts";
import type { AuditEntry } from "../../access/access.ts";
import { rest, systemClock } from "../../base/clock.ts";
import { messageOf, Problem } from "../../base/problem.ts";
import type { ProblemFields } from "../../base/problem.ts";
import type { CallName } from "../../protocol/calls.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/headers.ts";
import type { Message } from "../../protocol/messages.ts";
import { protocolMismatch } from "../../protocol/problems.ts";
import type { Call } from "../session/call.ts";
import type { Caller } from "../session/caller.ts";
import { inputInvalid } from "../session/problems.ts";
import type { Session } from "../session/session.ts";
import { describeWrite } from "./audit.ts";
import { assertAllowed, isWrite } from "./call-rights.ts";
import { findCall, isCallName } from "./call-table.ts";
import { callUnknown } from "./problems.ts";

/** What of a session its server gives; the caller's part is made for each call. */
export type ServerPart = Omit<Session, "report" | "line" | "again" | "signal" | "caller">;

export type Answering = {
  /** Who asks. @throws a problem where they may ask nothing */
  readonly admit: (request: IncomingMessage) => Caller;
  /** Resolves once the server can answer this call. */
  readonly session: (name: string) => Promise<ServerPart>;
  readonly log: (text: string) => void;
  /** null: writes are not written down. */
  readonly note: ((entry: AuditEntry) => Promise<void>) | null;
  /** A line break is sent so often, so that either side knows that the other is there; null: never. */
  readonly beatMs: number | null;
};

/** Of every answer. */
export const ANSWER_HEADERS = {
  "content-type": "application/x-ndjson",
  "cache-control": "no-store",
  [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
};

const MAX_BODY_BYTES = 4_000_000;

/** Answers `POST /calls/<name>` with lines of JSON. */
export async function answerCall(
  options: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("The caller has gone.")));
  const write = (text: string): void => {
    if (!response.writableEnded && !response.destroyed) response.write(text);
  };
  const send = (message: Message): void => write(`${JSON.stringify(message)}\n`);
  const admitted = admit(options, request);
  const isRefused = "problem" in admitted;
  response.writeHead(isRefused ? 401 : 200, {
    ...ANSWER_HEADERS,
    // What a stranger goes on sending is not read.
    ...(isRefused ? { connection: "close" } : {}),
  });
  // The head goes out at once: a caller that waits for events knows that it is heard.
  response.flushHeaders();
  if (options.beatMs !== null) void beat(() => write("\n"), options.beatMs, gone.signal);
  const listener = { send, signal: gone.signal };
  send(
    "problem" in admitted
      ? admitted
      : await findEnd(options, request, { ...listener, caller: admitted.caller }),
  );
  response.end();
}

type Listener = {
  readonly caller: Caller;
  readonly send: (message: Message) => void;
  readonly signal: AbortSignal;
};
type Asked = { readonly call: Call; readonly name: CallName; readonly input: unknown };

function admit(
  options: Answering,
  request: IncomingMessage,
): { readonly caller: Caller } | { readonly problem: ProblemFields } {
  try {
    return { caller: options.admit(request) };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toFields() };
    throw error;
  }
}

/** The one message that ends an answer. */
async function findEnd(
  options: Answering,
  request: IncomingMessage,
  listener: Listener,
): Promise<Message> {
  try {
    const asked = await readCall(request);
    return await noted(options, { ...asked, caller: listener.caller }, async (again) => {
      assertAllowed(listener.caller, asked.name, asked.input);
      return unlessRevoked(listener, async (signal) =>
        asked.call.run(asked.input, {
          ...(await options.session(asked.name)),
          caller: listener.caller,
          report: (progress) => listener.send({ progress }),
          line: (line) => listener.send({ line }),
          again,
          signal,
        }),
      );
    });
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toFields() };
    if (!listener.signal.aborted)
      options.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return { bug: messageOf(error) };
  }
}

/** @throws `protocol_mismatch`, `call_unknown`, `input_invalid` */
async function readCall(request: IncomingMessage): Promise<Asked> {
  const version = String(request.headers[PROTOCOL_HEADER] ?? "");
  if (version !== String(PROTOCOL_VERSION)) throw protocolMismatch(PROTOCOL_VERSION, version);
  const name = /^\/calls\/([a-z.]+)$/.exec(request.url ?? "")?.[1] ?? "";
  const call = request.method === "POST" ? findCall(name) : undefined;
  if (call === undefined || !isCallName(name)) throw callUnknown(name);
  return { call, name, input: await readInput(request) };
}

/** What goes on in the name of a token ends with it, whatever it was about. */
async function unlessRevoked<T>(
  { caller, signal }: Listener,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (caller.kind === "owner") return work(signal);
  const { over } = caller.grant;
  if (over.aborted) throw refuseToken();
  const { promise: revoked, reject } = Promise.withResolvers<never>();
  const refuse = (): void => reject(refuseToken());
  over.addEventListener("abort", refuse, { once: true });
  try {
    return await Promise.race([revoked, work(AbortSignal.any([signal, over]))]);
  } finally {
    over.removeEventListener("abort", refuse);
  }
}

async function noted(
  { note, log }: Answering,
  { name, input, caller }: Asked & { readonly caller: Caller },
  work: (again: () => void) => Promise<unknown>,
): Promise<Message> {
  let isAgain = false;
  const end = async (outcome: string): Promise<void> => {
    if (note === null || !isWrite(name) || isAgain) return;
    const entry = describeWrite({ name, input, outcome }, { caller, clock: systemClock });
    // What was done is done: a full disk must not keep anyone from deleting.
    await note(entry).catch((error: unknown) => log(`A write was not noted: ${messageOf(error)}`));
  };
  try {
    const result = await work(() => {
      isAgain = true;
    });
    await end("done");
    return { result };
  } catch (error) {
    await end(error instanceof Problem ? error.code : "bug");
    throw error;
  }
}

async function readInput(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_BODY_BYTES) throw inputInvalid(`it is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
  } catch (error) {
    throw inputInvalid(messageOf(error));
  }
}

/** Until the answer has ended. */
async function beat(write: () => void, everyMs: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    try {
      await rest(everyMs, over);
      write();
    } catch {
      // The answer has ended.
    }
  }
}
