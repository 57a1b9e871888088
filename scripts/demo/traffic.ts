import { Pool } from "undici";

import { monotonicMs, sleep } from "../../src/base/clock.ts";

const CUSTOMERS = 4;
const PAUSE_MS = 40;
const ORDER_EVERY = 5;
const ANSWER_MS = 10_000;

/** Customers of the shop, who browse and order until they are told to leave. */
export class Traffic {
  requests = 0;
  slowestMs = 0;
  readonly failures: string[] = [];
  readonly #address: Address;
  readonly #leave = new AbortController();
  readonly #customers: Promise<void>[];

  constructor(address: Address) {
    this.#address = address;
    this.#customers = Array.from({ length: CUSTOMERS }, (_, customer) => this.#shop(customer));
  }

  async stop(): Promise<void> {
    this.#leave.abort();
    await Promise.all(this.#customers);
  }

  async #shop(customer: number): Promise<void> {
    for (let turn = customer; !this.#leave.signal.aborted; turn += 1) {
      await this.#ask(turn);
      await sleep(PAUSE_MS);
    }
  }

  async #ask(turn: number): Promise<void> {
    const start = monotonicMs();
    try {
      if (turn % ORDER_EVERY === 0)
        await this.#address.order({ product: (turn % 2000) + 1, quantity: 1 });
      else await this.#address.read("/api/products?search=oak");
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error));
    }
    this.requests += 1;
    this.slowestMs = Math.max(this.slowestMs, monotonicMs() - start);
  }
}

/** An environment's URL. Node does not resolve `*.localhost`, so the gateway is asked with the name in `Host`. */
export class Address {
  readonly #host: string;
  readonly #pool: Pool;

  constructor(url: string) {
    const { host, port } = new URL(url);
    this.#host = host;
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections: CUSTOMERS });
  }

  async read(path: string): Promise<string> {
    return this.#answer({ path, method: "GET", headers: {}, body: null });
  }

  async order(item: { readonly product: number; readonly quantity: number }): Promise<void> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ items: [item] });
    await this.#answer({ path: "/api/orders", method: "POST", headers, body });
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #answer(request: Request): Promise<string> {
    const { statusCode, body } = await this.#pool.request({
      ...request,
      headers: { ...request.headers, host: this.#host },
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
    });
    const text = await body.text();
    if (statusCode !== 200)
      throw new Error(`${request.path} answered ${statusCode}: ${text.slice(0, 200)}`);
    return text;
  }
}

type Request = {
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
};
