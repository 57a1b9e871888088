import type { CancelKey } from "./cancel-keys.ts";
import { formatFatal, unknownUser } from "./error-response.ts";

const BACKEND_KEY = "K".charCodeAt(0);
const READY = "Z".charCodeAt(0);
const ERROR = "E".charCodeAt(0);
const HEAD_BYTES = 5;
/** Of what a server says before it is ready: some parameters, or one error. */
const MAX_GREETING_BYTES = 256 * 1024;

export type Replacements = {
  readonly cancelKey: (key: CancelKey) => CancelKey;
  /** Of a user whose password is wrong: the server would name its own. */
  readonly user: string;
};

/** Watches what a server says until it is ready for queries, and replaces the cancel key and the user's name in it. */
export class GreetingRewriter {
  readonly #replace: Replacements;
  #pending = Buffer.alloc(0);
  #seen = 0;
  #isDone = false;

  constructor(replace: Replacements) {
    this.#replace = replace;
  }

  /** Nothing more is to be rewritten. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The bytes that the client may have by now. @throws Error when the server does not keep to the protocol */
  push(chunk: Buffer): Buffer {
    this.#seen += chunk.length;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const out: Buffer[] = [];
    while (!this.#isDone) {
      const message = this.#shift();
      if (message === undefined) break;
      out.push(this.#rewrite(message));
    }
    if (this.#isDone) out.push(this.#shiftAll());
    else if (this.#seen > MAX_GREETING_BYTES) throw new Error("The server's greeting has no end.");
    return Buffer.concat(out);
  }

  #rewrite(message: Buffer): Buffer {
    this.#isDone = message[0] === READY;
    if (message[0] === ERROR && isWrongPassword(message))
      return formatFatal(unknownUser(this.#replace.user));
    if (message[0] !== BACKEND_KEY || message.length <= HEAD_BYTES + 4) return message;
    const { pid, key } = this.#replace.cancelKey({
      pid: message.readUInt32BE(HEAD_BYTES),
      key: message.subarray(HEAD_BYTES + 4),
    });
    const head = Buffer.from(message.subarray(0, HEAD_BYTES + 4));
    head.writeUInt32BE(pid, HEAD_BYTES);
    return Buffer.concat([head, key]);
  }

  #shift(): Buffer | undefined {
    if (this.#pending.length < HEAD_BYTES) return undefined;
    const length = this.#pending.readUInt32BE(1);
    if (length < 4) throw new Error("The server sent a message without a length.");
    if (this.#pending.length < length + 1) return undefined;
    const message = this.#pending.subarray(0, length + 1);
    this.#pending = this.#pending.subarray(length + 1);
    return message;
  }

  #shiftAll(): Buffer {
    const all = this.#pending;
    this.#pending = Buffer.alloc(0);
    return all;
  }
}

function isWrongPassword(message: Buffer): boolean {
  return message.subarray(HEAD_BYTES).toString("latin1").split("\0").includes("C28P01");
}
