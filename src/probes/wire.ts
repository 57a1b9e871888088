import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { type Socket, connect } from "node:net";

/** What PostgreSQL answers with instead of rows. */
export class DatabaseError extends Error {
  /** SQLSTATE. */
  readonly state: string;

  constructor(message: string, state: string) {
    super(message);
    this.state = state;
  }
}

const LIMIT_MS = 5_000;
const PROTOCOL = 196_608;

/**
 * Logs in and runs one statement: as much of PostgreSQL's protocol as that takes, since no library goes along.
 * `options` go along with the user's name.
 * @returns the first value of the first row; null: there is none
 * @throws DatabaseError, or an error of the connection
 */
export async function askDatabase(
  url: URL,
  sql: string,
  options: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  const { hostname, port, username, pathname } = url;
  const socket = connect({ host: hostname, port: Number(port), timeout: LIMIT_MS });
  socket.once("timeout", () => socket.destroy(new Error("The database does not answer.")));
  try {
    const [user, database] = [username, pathname.slice(1)].map(decodeURIComponent);
    socket.write(startup({ user: user ?? "", database: database ?? "", ...options }));
    const messages = readMessages(socket);
    await logIn(socket, messages, decodeURIComponent(url.password));
    socket.write(pack("Q", Buffer.from(`${sql}\0`)));
    return await firstValue(messages);
  } finally {
    socket.destroy();
  }
}

type Message = { readonly type: string; readonly body: Buffer };
type Messages = AsyncGenerator<Message, undefined>;

async function* readMessages(socket: Socket): Messages {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, Buffer.from(chunk)]);
    while (bytes.length >= 5 && bytes.length > bytes.readUInt32BE(1)) {
      const end = bytes.readUInt32BE(1) + 1;
      yield { type: String.fromCharCode(bytes[0] ?? 0), body: bytes.subarray(5, end) };
      bytes = bytes.subarray(end);
    }
  }
}

async function next(messages: Messages): Promise<Message> {
  const { value: one } = await messages.next();
  if (one === undefined) throw new Error("The database closed the connection.");
  if (one.type !== "E") return one;
  const fields = one.body.toString("utf8").split("\0");
  const field = (name: string): string =>
    fields.find((text) => text.startsWith(name))?.slice(1) ?? "";
  throw new DatabaseError(field("M"), field("C"));
}

/** RFC 5802, as SCRAM-SHA-256. */
async function logIn(socket: Socket, messages: Messages, password: string): Promise<void> {
  await expectCode(messages, 10);
  const nonce = randomBytes(18).toString("base64");
  const first = `n=,r=${nonce}`;
  const opening = Buffer.from(`n,,${first}`);
  socket.write(pack("p", Buffer.from("SCRAM-SHA-256\0"), length(opening.length), opening));
  const challenge = (await expectCode(messages, 11)).toString("utf8");
  socket.write(pack("p", Buffer.from(answer({ first, challenge, password }))));
  await expectCode(messages, 12);
  await expectCode(messages, 0);
  while ((await next(messages)).type !== "Z");
}

function answer({
  first,
  challenge,
  password,
}: {
  readonly first: string;
  readonly challenge: string;
  readonly password: string;
}): string {
  const part = (name: string): string => new RegExp(`${name}=([^,]*)`).exec(challenge)?.[1] ?? "";
  const salt = Buffer.from(part("s"), "base64");
  const salted = pbkdf2Sync(password, salt, Number(part("i")), 32, "sha256");
  const key = createHmac("sha256", salted).update("Client Key").digest();
  const stored = createHash("sha256").update(key).digest();
  const last = `c=biws,r=${part("r")}`;
  const signed = createHmac("sha256", stored).update(`${first},${challenge},${last}`).digest();
  const proof = Buffer.from(key.map((byte, at) => byte ^ (signed[at] ?? 0)));
  return `${last},p=${proof.toString("base64")}`;
}

/** @returns what comes with the code */
async function expectCode(messages: Messages, code: number): Promise<Buffer> {
  const { type, body } = await next(messages);
  if (type !== "R" || body.readUInt32BE(0) !== code)
    throw new Error(`The database asked for another way to log in: ${type}${body[3]}.`);
  return body.subarray(4);
}

async function firstValue(messages: Messages): Promise<string | null> {
  let found: string | null = null;
  for (;;) {
    const { type, body } = await next(messages);
    if (type === "Z") return found;
    if (type !== "D" || found !== null || body.readUInt16BE(0) === 0) continue;
    const size = body.readInt32BE(2);
    found = size < 0 ? null : body.toString("utf8", 6, 6 + size);
  }
}

function startup(fields: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(fields).flatMap(([name, value]) => [name, value]);
  const body = Buffer.from(`${words.join("\0")}\0\0`);
  return Buffer.concat([length(body.length + 8), length(PROTOCOL), body]);
}

function pack(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), length(body.length + 4), body]);
}

function length(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
