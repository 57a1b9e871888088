import { connect } from "node:net";
import type { Socket } from "node:net";

import type { Address } from "./http.ts";

export type Load = { readonly connections: number; readonly ms: number };

const ANSWER_LIMIT_MS = 10_000;
const HEAD_END = "\r\n\r\n";

/** Milliseconds of every request: each connection sends its next as soon as the last is answered, until the time is over. */
export async function measureLoad(address: Address, load: Load): Promise<readonly number[]> {
  const end = performance.now() + load.ms;
  const each = Array.from({ length: load.connections }, () => askUntil(address, end));
  return (await Promise.all(each)).flat();
}

async function askUntil(address: Address, end: number): Promise<readonly number[]> {
  const connection = new Connection(address);
  const figures: number[] = [];
  try {
    while (performance.now() < end) {
      const began = performance.now();
      await connection.ask();
      figures.push(performance.now() - began);
    }
  } finally {
    connection.close();
  }
  return figures;
}

/** A kept connection that reads no more of an answer than its end: what measures must cost less than what is measured. */
class Connection {
  readonly #socket: Socket;
  readonly #request: string;
  #head = "";
  /** undefined: the head has not ended. */
  #bodyBytesLeft: number | undefined;
  #answer = Promise.withResolvers<void>();

  constructor({ port, host, path }: Address) {
    this.#request = `GET ${path} HTTP/1.1\r\nhost: ${host}\r\naccept: */*${HEAD_END}`;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.setTimeout(ANSWER_LIMIT_MS, () => this.#fail("did not answer"));
    this.#socket.on("data", (chunk) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#answer.reject(error));
    this.#socket.on("close", () => this.#fail("was closed"));
  }

  ask(): Promise<void> {
    this.#answer = Promise.withResolvers();
    this.#head = "";
    this.#bodyBytesLeft = undefined;
    this.#socket.write(this.#request);
    return this.#answer.promise;
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#bodyBytesLeft === undefined ? this.#receiveHead(chunk) : chunk.length;
    if (this.#bodyBytesLeft === undefined) return;
    this.#bodyBytesLeft -= bytes;
    if (this.#bodyBytesLeft === 0) this.#answer.resolve();
  }

  /** How many bytes of the chunk belong to the body. */
  #receiveHead(chunk: Buffer): number {
    this.#head += chunk.toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return 0;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head.slice(0, end))?.[1];
    if (!this.#head.startsWith("HTTP/1.1 200 ") || length === undefined) {
      this.#fail(`answered: ${this.#head.slice(0, end)}`);
      return 0;
    }
    this.#bodyBytesLeft = Number(length);
    return this.#head.length - end - HEAD_END.length;
  }

  #fail(what: string): void {
    this.#answer.reject(new Error(`The connection ${what}.`));
    this.#socket.destroy();
  }
}
