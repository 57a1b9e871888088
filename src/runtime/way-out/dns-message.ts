/** What a program asks a name server, as far as we answer it ourselves (RFC 1035, one question). */
export type Question = { readonly name: string; readonly type: number; readonly end: number };

export const TYPE_A = 1;
export const TYPE_AAAA = 28;

const HEADER_BYTES = 12;
const MAX_NAME = 253;
const MAX_LABEL = 63;
const CLASS_IN = 1;
/** Of a header's flags: an answer, the asker's wish for recursion kept, recursion available. */
const ANSWER = 0x8080;
const RECURSION_DESIRED = 0x0100;
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;
const REFUSED = 5;
export type Failure = "unknown" | "failed" | "refused";
const CODES: Readonly<Record<Failure, number>> = {
  unknown: NAME_ERROR,
  failed: SERVER_FAILURE,
  refused: REFUSED,
};
/** A pointer to the question's name, which stands right behind the header. */
const NAME_POINTER = 0xc000 | HEADER_BYTES;

/** undefined: no question that can be answered. */
export function parseQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER_BYTES + 5 || message.readUInt16BE(4) !== 1) return undefined;
  if ((message.readUInt16BE(2) & 0xf800) !== 0) return undefined;
  const found = parseName(message);
  if (found === undefined || found.end + 4 > message.length) return undefined;
  const { name, end } = found;
  if (message.readUInt16BE(end + 2) !== CLASS_IN) return undefined;
  return { name, type: message.readUInt16BE(end), end: end + 4 };
}

function parseName(message: Buffer): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > MAX_LABEL) return undefined;
    at += 1;
    if (length === 0) break;
    labels.push(message.toString("latin1", at, at + length));
    at += length;
  }
  const name = labels.join(".").toLowerCase();
  return name.length > MAX_NAME ? undefined : { name, end: at };
}

/** The addresses are IPv4; none: the name is there, and has nothing of this type. */
export function encodeAddresses(
  message: Buffer,
  { end }: Question,
  { addresses, seconds }: { readonly addresses: readonly string[]; readonly seconds: number },
): Buffer {
  const records = addresses.map((address) => {
    const record = Buffer.alloc(16);
    record.writeUInt16BE(NAME_POINTER, 0);
    record.writeUInt16BE(TYPE_A, 2);
    record.writeUInt16BE(CLASS_IN, 4);
    record.writeUInt32BE(seconds, 6);
    record.writeUInt16BE(4, 10);
    for (const [index, part] of address.split(".").entries()) record[12 + index] = Number(part);
    return record;
  });
  return Buffer.concat([
    encodeHeader(message, 0, records.length),
    message.subarray(HEADER_BYTES, end),
    ...records,
  ]);
}

export function encodeFailure(message: Buffer, { end }: Question, failure: Failure): Buffer {
  return Buffer.concat([
    encodeHeader(message, CODES[failure], 0),
    message.subarray(HEADER_BYTES, end),
  ]);
}

function encodeHeader(message: Buffer, code: number, answers: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(message.readUInt16BE(0), 0);
  header.writeUInt16BE(ANSWER | (message.readUInt16BE(2) & RECURSION_DESIRED) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers, 6);
  return header;
}
