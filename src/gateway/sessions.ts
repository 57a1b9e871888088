import type { ServerHttp2Session } from "node:http2";

import { monotonicMs } from "../base/clock.ts";
import { CLIENT_IDLE_MS, POOL_SWEEP_MS } from "./limits.ts";

type Use = { streams: number; usedAtMs: number };

/** The HTTP/2 connections that are open; those on which nothing is asked any more are closed. */
export class Sessions {
  readonly #uses = new Map<ServerHttp2Session, Use>();
  readonly #sweeper = setInterval(() => {
    this.sweep(CLIENT_IDLE_MS);
  }, POOL_SWEEP_MS).unref();

  keep(session: ServerHttp2Session): void {
    const use = { streams: 0, usedAtMs: monotonicMs() };
    this.#uses.set(session, use);
    session.once("close", () => this.#uses.delete(session));
    // An error is always followed by `close`.
    session.on("error", () => undefined);
    session.on("stream", (stream) => {
      use.streams += 1;
      stream.once("close", () => {
        use.streams -= 1;
        use.usedAtMs = monotonicMs();
      });
    });
  }

  get size(): number {
    return this.#uses.size;
  }

  sweep(idleMs: number): void {
    const before = monotonicMs() - idleMs;
    for (const [session, { streams, usedAtMs }] of this.#uses)
      if (streams === 0 && usedAtMs <= before) session.close();
  }

  /** No new requests; what is being answered is answered to its end. */
  leave(): void {
    for (const session of this.#uses.keys()) session.close();
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const session of this.#uses.keys()) session.destroy();
  }
}
