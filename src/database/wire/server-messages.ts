import type { CancelKey } from "./cancel-keys.ts";

const BACKEND_KEY = "K".charCodeAt(0);
const READY = "Z".charCodeAt(0);
const HEAD_BYTES = 5;
/** Of what a server says before it is ready: some parameters, or one error. */
const MAX_GREETING_BYTES = 256 * 1024;

/** Watches what a server says until it is ready for queries, and replaces the cancel key in it. */
export class GreetingRewriter {
  readonly #replace: (key: CancelKey) => CancelKey;
  #pending = Buffer.alloc(0);
  #seen = 0;
  #isDone = false;

  constructor(replace: (key: CancelKey) => CancelKey) {
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
    if (message[0] !== BACKEND_KEY || message.length <= HEAD_BYTES + 4) return message;
    const { pid, key } = this.#replace({
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
