/** A client's first packets, before anything is agreed: length, code, and what the code calls for. */

export const PROTOCOL_3_0 = 0x0003_0000;
const PROTOCOL_MAJOR = 3;
const CODES_MAJOR = 1234;
const CANCEL_CODE = 5678;
const TLS_CODE = 5679;
const GSS_CODE = 5680;

/** PostgreSQL's own limit. */
export const MAX_STARTUP_BYTES = 10_000;
/** Protocol 3.2 allows a key this long. */
const MAX_KEY_BYTES = 256;

/** In the order in which they came; a client may send one twice, and the last one counts. */
export type StartupParameters = readonly (readonly [name: string, value: string])[];

export type StartupRequest =
  | { readonly kind: "tls" }
  | { readonly kind: "gss" }
  | { readonly kind: "cancel"; readonly pid: number; readonly key: Buffer }
  | { readonly kind: "startup"; readonly version: number; readonly parameters: StartupParameters }
  | { readonly kind: "unsupported"; readonly version: number }
  | { readonly kind: "malformed" };

export type ParsedStartup = { readonly request: StartupRequest; readonly rest: Buffer };

/** undefined: more bytes are needed. */
export function parseStartupPacket(bytes: Buffer): ParsedStartup | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  if (length < 8 || length > MAX_STARTUP_BYTES) return malformed();
  if (bytes.length < length) return undefined;
  return { request: parseBody(bytes.subarray(4, length)), rest: bytes.subarray(length) };
}

/** Bytes of a parameter go through unchanged, whatever their encoding. */
export function formatStartupPacket(version: number, parameters: StartupParameters): Buffer {
  const text = parameters.map(([name, value]) => `${name}\0${value}\0`).join("");
  const body = Buffer.from(`${text}\0`, "latin1");
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8, 0);
  head.writeUInt32BE(version, 4);
  return Buffer.concat([head, body]);
}

export function formatCancelPacket({
  pid,
  key,
}: {
  readonly pid: number;
  readonly key: Buffer;
}): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32BE(12 + key.length, 0);
  head.writeUInt16BE(CODES_MAJOR, 4);
  head.writeUInt16BE(CANCEL_CODE, 6);
  head.writeUInt32BE(pid, 8);
  return Buffer.concat([head, key]);
}

/** The value that counts. */
export function findParameter(parameters: StartupParameters, name: string): string | undefined {
  return parameters.findLast(([key]) => key === name)?.[1];
}

function parseBody(body: Buffer): StartupRequest {
  const version = body.readUInt32BE(0);
  const major = body.readUInt16BE(0);
  const minor = body.readUInt16BE(2);
  if (major === CODES_MAJOR && minor === TLS_CODE) return { kind: "tls" };
  if (major === CODES_MAJOR && minor === GSS_CODE) return { kind: "gss" };
  if (major === CODES_MAJOR && minor === CANCEL_CODE) return parseCancel(body);
  if (major !== PROTOCOL_MAJOR) return { kind: "unsupported", version };
  const parameters = parseParameters(body.subarray(4));
  return parameters === undefined
    ? { kind: "malformed" }
    : { kind: "startup", version, parameters };
}

function parseCancel(body: Buffer): StartupRequest {
  const key = body.subarray(8);
  if (body.length < 8 || key.length === 0 || key.length > MAX_KEY_BYTES)
    return { kind: "malformed" };
  return { kind: "cancel", pid: body.readUInt32BE(4), key };
}

/** Names and values, each ended by a zero byte, and one more at the end. */
function parseParameters(body: Buffer): StartupParameters | undefined {
  const texts = body.toString("latin1").split("\0");
  if (texts.pop() !== "" || texts.pop() !== "" || texts.length % 2 !== 0) return undefined;
  const parameters: [string, string][] = [];
  for (let at = 0; at < texts.length; at += 2) {
    const [name = "", value = ""] = texts.slice(at, at + 2);
    if (name === "") return undefined;
    parameters.push([name, value]);
  }
  return parameters;
}

function malformed(): ParsedStartup {
  return { request: { kind: "malformed" }, rest: Buffer.alloc(0) };
}
