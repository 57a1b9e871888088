import { buildConnector, Pool } from "undici";

import { monotonicMs } from "../base/clock.ts";
import { hasErrorCode } from "../base/problem.ts";
import { connectInlet } from "./connect-inlet.ts";
import {
  ANSWER_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  MAX_ACTIVE_PER_TARGET,
  MAX_HEADER_BYTES,
  POOL_IDLE_MS,
  POOL_SWEEP_MS,
  UPSTREAM_IDLE_MS,
} from "./limits.ts";
import type { UpstreamAddress } from "./target.ts";

/** The connections to one port of one target. */
export type Upstream = {
  readonly pool: Pool;
  /** Requests and WebSockets that are open. */
  active: number;
  usedAtMs: number;
};

/** One pool for each target and port; those that are no longer used are closed. */
export class Upstreams {
  readonly #pools = new Map<string, Upstream>();
  readonly #sweeper = setInterval(() => {
    this.sweep(POOL_IDLE_MS);
  }, POOL_SWEEP_MS).unref();

  /** By target as well as port: the port may be another environment's tomorrow. */
  at(label: string, address: UpstreamAddress): Upstream {
    const key = `${label}:${address.port}:${address.inlet?.path ?? ""}`;
    const known = this.#pools.get(key);
    if (known !== undefined) {
      known.usedAtMs = monotonicMs();
      return known;
    }
    const upstream = { pool: createPool(address), active: 0, usedAtMs: monotonicMs() };
    this.#pools.set(key, upstream);
    return upstream;
  }

  get size(): number {
    return this.#pools.size;
  }

  sweep(idleMs: number): void {
    const before = monotonicMs() - idleMs;
    for (const [key, { active, usedAtMs, pool }] of this.#pools) {
      if (active > 0 || usedAtMs > before) continue;
      this.#pools.delete(key);
      void pool.destroy();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.destroy()));
    this.#pools.clear();
  }
}

function createPool({ port, inlet }: UpstreamAddress): Pool {
  return new Pool(`http://127.0.0.1:${port}`, {
    connect: inlet === null ? connectLoopback : connectInlet(inlet),
    connections: MAX_ACTIVE_PER_TARGET,
    pipelining: 1,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: 0,
    keepAliveTimeout: UPSTREAM_IDLE_MS,
  });
}

const connectTcp = buildConnector({ timeout: CONNECT_TIMEOUT_MS });

/** Frameworks listen on 127.0.0.1 or on ::1, as their `localhost` happens to resolve. */
function connectLoopback(options: buildConnector.Options, done: buildConnector.Callback): void {
  connectTcp(options, (...first) => {
    if (!hasErrorCode(first[0], "ECONNREFUSED")) {
      done(...first);
      return;
    }
    connectTcp({ ...options, hostname: "::1" }, (...second) => {
      done(...(second[0] === null ? second : first));
    });
  });
}
