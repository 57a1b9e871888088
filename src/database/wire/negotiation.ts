import { once } from "node:events";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

import { protocolViolation } from "./error-response.ts";
import type { FatalError } from "./error-response.ts";
import { parseStartupPacket } from "./startup-packet.ts";
import type { ParsedStartup, StartupParameters, StartupRequest } from "./startup-packet.ts";
import type { TlsKeys } from "./tls-keys.ts";

/** The first byte of a TLS handshake: a client that asks for nothing first. */
const TLS_HANDSHAKE = 0x16;
/** One for each kind of encryption, then what the client came for. */
const MAX_REQUESTS = 3;

export type Agreed =
  | { readonly kind: "cancel"; readonly pid: number; readonly key: Buffer }
  | {
      readonly kind: "startup";
      readonly version: number;
      readonly parameters: StartupParameters;
      /** What the client sent after its startup packet. */
      readonly rest: Buffer;
    }
  | { readonly kind: "refused"; readonly error: FatalError }
  | { readonly kind: "gone" };

export type Negotiated = { readonly stream: Socket; readonly agreed: Agreed };

/** Talks with a client until it says what it came for; over TLS from where it asks for that. @throws the signal's reason */
export async function negotiate(
  socket: Socket,
  tls: TlsKeys,
  signal: AbortSignal,
): Promise<Negotiated> {
  let stream = socket;
  for (let requests = 0; requests < MAX_REQUESTS; requests += 1) {
    const parsed = await readPacket(stream, signal);
    if (parsed === undefined) return { stream, agreed: { kind: "gone" } };
    const { request, rest } = parsed;
    if (request.kind === "tls" || request.kind === "gss") {
      // Bytes that were sent in the clear must not pass for encrypted ones.
      if (rest.length > 0)
        return refuse(stream, "received unencrypted data after a request for encryption");
      if (request.kind === "gss") stream.write("N");
      else stream = await startTls(stream, { tls, signal, answer: "S" });
    } else if (request.kind === "direct tls") {
      stream.unshift(rest);
      stream = await startTls(stream, { tls, signal, answer: "" });
    } else return { stream, agreed: agree(request, rest) };
  }
  return refuse(stream, "too many requests for encryption");
}

type First = {
  readonly request: StartupRequest | { readonly kind: "direct tls" };
  readonly rest: Buffer;
};

function agree(request: Exclude<StartupRequest, { kind: "tls" | "gss" }>, rest: Buffer): Agreed {
  if (request.kind === "startup") return { ...request, rest };
  if (request.kind === "cancel") return request;
  if (request.kind === "malformed")
    return { kind: "refused", error: protocolViolation("invalid startup packet") };
  const [major, minor] = [request.version >>> 16, request.version & 0xffff];
  const message = `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`;
  return { kind: "refused", error: { code: "0A000", message } };
}

function refuse(stream: Socket, message: string): Negotiated {
  return { stream, agreed: { kind: "refused", error: protocolViolation(message) } };
}

/** undefined: the client went away first. The packet's own limit bounds what is kept. */
async function readPacket(stream: Socket, signal: AbortSignal): Promise<First | undefined> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk: unknown = stream.read();
    if (Buffer.isBuffer(chunk)) {
      bytes = Buffer.concat([bytes, chunk]);
      const parsed = parseFirst(stream, bytes);
      if (parsed !== undefined) return parsed;
    } else if (stream.readableEnded || stream.destroyed) return undefined;
    else await untilReadable(stream, signal);
  }
}

function parseFirst(stream: Socket, bytes: Buffer): First | ParsedStartup | undefined {
  const isHandshake = bytes[0] === TLS_HANDSHAKE && !(stream instanceof TLSSocket);
  return isHandshake ? { request: { kind: "direct tls" }, rest: bytes } : parseStartupPacket(bytes);
}

/** Resolves when there is something to read, or never will be. */
async function untilReadable(stream: Socket, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  const either = { signal: AbortSignal.any([signal, done.signal]) };
  try {
    await Promise.race([
      once(stream, "readable", either),
      once(stream, "end", either),
      once(stream, "close", either),
    ]);
  } catch (error) {
    signal.throwIfAborted();
    // Reset by the client: the stream is destroyed, as the reader sees.
    if (!stream.destroyed) throw error;
  } finally {
    done.abort();
  }
}

type TlsStart = { readonly tls: TlsKeys; readonly signal: AbortSignal; readonly answer: string };

async function startTls(socket: Socket, { tls, signal, answer }: TlsStart): Promise<Socket> {
  const secureContext = await tls.openContext();
  if (answer !== "") socket.write(answer);
  const stream = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: ["postgresql"],
  });
  stream.on("error", () => {
    // A handshake that failed, or a reset: the stream is destroyed.
  });
  await once(stream, "secure", { signal });
  return stream;
}
